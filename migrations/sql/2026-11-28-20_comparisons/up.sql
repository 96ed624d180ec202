-- What changed between two archives: the same for everybody, for as long as both exist. It can be
-- computed again at any time; the oldest rows make room.
CREATE TABLE comparisons (
    old_sha256 TEXT NOT NULL,
    new_sha256 TEXT NOT NULL,
    edition INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    summary TEXT NOT NULL,
    patch BYTEA NOT NULL,
    patch_size BIGINT NOT NULL,
    patch_sha256 TEXT NOT NULL,
    weight BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (old_sha256, new_sha256)
);

CREATE INDEX comparisons_by_age ON comparisons (created_at);
