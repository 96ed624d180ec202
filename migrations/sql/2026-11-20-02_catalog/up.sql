CREATE TABLE kits (
    id TEXT PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    homepage TEXT,
    ecosystems TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('queued', 'in_production', 'released', 'retired')),
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL
);

-- Slugs a kit had before: they are compiled into shipped code, so they answer for ever.
CREATE TABLE kit_aliases (
    slug TEXT PRIMARY KEY,
    kit_id TEXT NOT NULL REFERENCES kits (id)
);

CREATE TABLE policies (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    edition TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('kits', 'all')),
    seat_kind TEXT NOT NULL CHECK (seat_kind IN ('none', 'device', 'site', 'user', 'project')),
    seat_limit INTEGER CHECK (seat_limit >= 0),
    updates_months INTEGER CHECK (updates_months > 0),
    valid_months INTEGER CHECK (valid_months > 0),
    license_file_days INTEGER NOT NULL CHECK (license_file_days BETWEEN 1 AND 366),
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE policy_kits (
    policy_id TEXT NOT NULL REFERENCES policies (id),
    kit_id TEXT NOT NULL REFERENCES kits (id),
    PRIMARY KEY (policy_id, kit_id)
);

CREATE TABLE prices (
    id TEXT PRIMARY KEY,
    provider TEXT NOT NULL CHECK (provider IN ('stripe')),
    mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
    external_id TEXT NOT NULL,
    quantity_rule TEXT NOT NULL CHECK (quantity_rule IN ('seats', 'licenses')),
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (provider, mode, external_id)
);

CREATE TABLE price_policies (
    price_id TEXT NOT NULL REFERENCES prices (id),
    policy_id TEXT NOT NULL REFERENCES policies (id),
    PRIMARY KEY (price_id, policy_id)
);
