ALTER TABLE blobs ADD COLUMN unused_since TIMESTAMP;
ALTER TABLE blobs ADD COLUMN deleting_since TIMESTAMP;
UPDATE blobs SET unused_since = created_at WHERE references_count = 0;
CREATE INDEX blobs_unused ON blobs (unused_since) WHERE unused_since IS NOT NULL;

CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    release_id TEXT NOT NULL REFERENCES releases (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    platform TEXT,
    arch TEXT,
    size BIGINT NOT NULL CHECK (size >= 0),
    sha256 TEXT NOT NULL,
    part_size BIGINT NOT NULL CHECK (part_size > 0),
    created_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP NOT NULL,
    UNIQUE (release_id, name, sha256)
);
CREATE INDEX uploads_used ON uploads (used_at);

CREATE TABLE upload_parts (
    upload_id TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    number INTEGER NOT NULL CHECK (number >= 1),
    size BIGINT NOT NULL CHECK (size > 0),
    sha256 TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (upload_id, number)
);
CREATE INDEX artifacts_sha256 ON artifacts (sha256);
