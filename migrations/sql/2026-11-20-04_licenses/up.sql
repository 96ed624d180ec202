CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
    business_key TEXT NOT NULL,
    payment_ref TEXT,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    email TEXT NOT NULL,
    billing_name TEXT,
    tax_id TEXT,
    currency TEXT NOT NULL,
    subtotal BIGINT NOT NULL,
    tax BIGINT NOT NULL,
    total BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('needs_mapping', 'fulfilled')),
    purchased_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (provider, mode, business_key)
);
CREATE INDEX orders_customer ON orders (customer_id, id);
CREATE INDEX orders_status ON orders (status, id);

CREATE TABLE order_items (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL REFERENCES orders (id),
    line_key TEXT NOT NULL,
    external_price TEXT,
    external_product TEXT,
    price_id TEXT REFERENCES prices (id),
    description TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    subtotal BIGINT NOT NULL,
    tax BIGINT NOT NULL,
    total BIGINT NOT NULL,
    UNIQUE (order_id, line_key)
);

-- Terms are a snapshot: editing the policy later changes nothing here.
CREATE TABLE licenses (
    id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    policy_id TEXT NOT NULL REFERENCES policies (id),
    order_item_id TEXT REFERENCES order_items (id),
    ordinal INTEGER NOT NULL DEFAULT 0,
    edition TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('kits', 'all')),
    seat_kind TEXT NOT NULL CHECK (seat_kind IN ('none', 'device', 'site', 'user', 'project')),
    seat_limit INTEGER CHECK (seat_limit >= 0),
    seat_cap INTEGER CHECK (seat_cap >= 0),
    seats_used INTEGER NOT NULL DEFAULT 0 CHECK (seats_used >= 0),
    license_file_days INTEGER NOT NULL,
    base_state TEXT NOT NULL CHECK (base_state IN ('pending', 'active', 'ended', 'merged')),
    starts_at TIMESTAMP NOT NULL,
    valid_until TIMESTAMP,
    updates_until TIMESTAMP,
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (order_item_id, policy_id, ordinal)
);
CREATE INDEX licenses_customer ON licenses (customer_id, id);

CREATE TABLE license_kits (
    license_id TEXT NOT NULL REFERENCES licenses (id),
    kit_id TEXT NOT NULL REFERENCES kits (id),
    PRIMARY KEY (license_id, kit_id)
);

CREATE TABLE license_keys (
    id TEXT PRIMARY KEY,
    license_id TEXT NOT NULL REFERENCES licenses (id),
    lookup BYTEA NOT NULL UNIQUE,
    sealed_key BYTEA NOT NULL,
    key_hint TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    replaced_at TIMESTAMP
);
CREATE INDEX license_keys_license ON license_keys (license_id);

-- Holds and revocations: one row a reason, closed one by one.
CREATE TABLE license_holds (
    id TEXT PRIMARY KEY,
    license_id TEXT NOT NULL REFERENCES licenses (id),
    kind TEXT NOT NULL CHECK (kind IN ('hold', 'revocation')),
    reason TEXT NOT NULL,
    cause TEXT NOT NULL,
    opened_at TIMESTAMP NOT NULL,
    closed_at TIMESTAMP,
    UNIQUE (license_id, kind, reason, cause)
);
CREATE INDEX license_holds_open ON license_holds (license_id) WHERE closed_at IS NULL;

-- A freed row is reused by the same identity, so that one identity never has two rows.
CREATE TABLE activations (
    id TEXT PRIMARY KEY,
    license_id TEXT NOT NULL REFERENCES licenses (id),
    kind TEXT NOT NULL CHECK (kind IN ('device', 'site', 'user', 'project')),
    identity TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT,
    platform TEXT,
    created_at TIMESTAMP NOT NULL,
    last_seen_at TIMESTAMP NOT NULL,
    freed_at TIMESTAMP,
    UNIQUE (license_id, kind, identity)
);
