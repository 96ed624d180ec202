-- Since when a key has its state, and when a published one becomes active. A key whose private_key
-- is empty has no private half on this server: it ended, or it is a root key kept elsewhere.
ALTER TABLE signing_keys ADD COLUMN state_since TIMESTAMP;
ALTER TABLE signing_keys ADD COLUMN activates_at TIMESTAMP;
CREATE UNIQUE INDEX signing_keys_one_published ON signing_keys (purpose) WHERE state = 'published';

-- One row: the ring's version, which every change raises by one under the condition that it is still
-- the one that was read, and the signed document.
CREATE TABLE key_ring (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL,
    document TEXT,
    document_ends_at TIMESTAMP
);
INSERT INTO key_ring (id, version) VALUES (1, 0);
