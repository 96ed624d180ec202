-- Deliveries of open kits have no license, and how a delivery went belongs to it.
CREATE TABLE downloads_in_full (
    id TEXT PRIMARY KEY,
    artifact_id TEXT NOT NULL REFERENCES artifacts (id),
    license_id TEXT REFERENCES licenses (id),
    -- The form the key or token came in.
    credential TEXT NOT NULL DEFAULT 'unknown'
        CHECK (credential IN ('license', 'bearer', 'basic', 'bare', 'path', 'ticket', 'none', 'unknown')),
    token_id TEXT REFERENCES license_tokens (id),
    -- A prefix, never a whole address.
    network TEXT,
    bytes_asked BIGINT CHECK (bytes_asked >= 0),
    -- Another part of a file that the same network was given the same day.
    continues BOOLEAN NOT NULL DEFAULT FALSE,
    started_at TIMESTAMP NOT NULL,
    -- Not known while it runs, where the process ended meanwhile, and behind a redirect.
    completed BOOLEAN,
    stamp_nonce TEXT
);
INSERT INTO downloads_in_full (id, artifact_id, license_id, started_at)
SELECT id, artifact_id, license_id, started_at FROM downloads;
DROP TABLE downloads;
ALTER TABLE downloads_in_full RENAME TO downloads;
CREATE INDEX downloads_license ON downloads (license_id, id);
CREATE INDEX downloads_artifact ON downloads (artifact_id, id);

-- A ticket belongs to the network that uses it first, and is used up by a multiple of its file.
ALTER TABLE download_tickets ADD COLUMN network TEXT;
ALTER TABLE download_tickets ADD COLUMN bytes_asked BIGINT NOT NULL DEFAULT 0 CHECK (bytes_asked >= 0);

-- What a license fetched on one day (days since 1970, UTC): the counters are the limit.
CREATE TABLE download_days (
    license_id TEXT NOT NULL REFERENCES licenses (id),
    day INTEGER NOT NULL,
    downloads INTEGER NOT NULL CHECK (downloads >= 0),
    networks INTEGER NOT NULL CHECK (networks >= 0),
    PRIMARY KEY (license_id, day)
);
CREATE INDEX download_days_day ON download_days (day);
CREATE TABLE download_day_files (
    license_id TEXT NOT NULL REFERENCES licenses (id),
    day INTEGER NOT NULL,
    network TEXT NOT NULL,
    artifact_id TEXT NOT NULL REFERENCES artifacts (id),
    PRIMARY KEY (license_id, day, network, artifact_id)
);

ALTER TABLE terms ADD COLUMN downloads_per_day INTEGER CHECK (downloads_per_day > 0);
ALTER TABLE terms ADD COLUMN download_networks_per_day INTEGER CHECK (download_networks_per_day > 0);
