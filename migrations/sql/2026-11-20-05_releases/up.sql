CREATE TABLE releases (
    id TEXT PRIMARY KEY,
    kit_id TEXT NOT NULL REFERENCES kits (id),
    version TEXT NOT NULL,
    channel TEXT NOT NULL CHECK (channel IN ('stable', 'rc', 'beta', 'alpha', 'dev')),
    severity TEXT NOT NULL CHECK (severity IN ('normal', 'security', 'critical')),
    status TEXT NOT NULL CHECK (status IN ('draft', 'published')),
    notes TEXT NOT NULL,
    entitled_at TIMESTAMP,
    published_at TIMESTAMP,
    yanked_at TIMESTAMP,
    withdrawn_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (kit_id, version)
);

CREATE TABLE blobs (
    sha256 TEXT PRIMARY KEY,
    size BIGINT NOT NULL CHECK (size >= 0),
    storage_key TEXT NOT NULL,
    references_count INTEGER NOT NULL DEFAULT 0 CHECK (references_count >= 0),
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE artifacts (
    id TEXT PRIMARY KEY,
    release_id TEXT NOT NULL REFERENCES releases (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL REFERENCES blobs (sha256),
    sha512 TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (release_id, name)
);

CREATE TABLE download_tickets (
    digest BYTEA PRIMARY KEY,
    artifact_id TEXT NOT NULL REFERENCES artifacts (id),
    license_id TEXT NOT NULL REFERENCES licenses (id),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);

CREATE TABLE downloads (
    id TEXT PRIMARY KEY,
    artifact_id TEXT NOT NULL REFERENCES artifacts (id),
    license_id TEXT NOT NULL REFERENCES licenses (id),
    started_at TIMESTAMP NOT NULL
);
CREATE INDEX downloads_license ON downloads (license_id, id);
CREATE INDEX downloads_artifact ON downloads (artifact_id, id);
