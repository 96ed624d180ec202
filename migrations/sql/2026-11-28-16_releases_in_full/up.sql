-- What a license must include to have the release, and what must be installed before it.
ALTER TABLE releases ADD COLUMN required_entitlements TEXT NOT NULL DEFAULT '[]';
ALTER TABLE releases ADD COLUMN minimum_version TEXT;

-- To how many it is offered from when on: a JSON list of {at, percent}; null for everybody. Who comes
-- first is drawn anew for each release, by its salt. While it is halted, nobody comes.
ALTER TABLE releases ADD COLUMN rollout TEXT;
ALTER TABLE releases ADD COLUMN rollout_salt BYTEA;
ALTER TABLE releases ADD COLUMN halted_at TIMESTAMP;

ALTER TABLE releases ADD COLUMN yank_reason TEXT;
ALTER TABLE releases ADD COLUMN withdraw_reason TEXT;

-- How it was made.
ALTER TABLE releases ADD COLUMN quality_score INTEGER CHECK (quality_score BETWEEN 0 AND 100);
ALTER TABLE releases ADD COLUMN build_seconds INTEGER CHECK (build_seconds >= 0);
ALTER TABLE releases ADD COLUMN tests_passed INTEGER CHECK (tests_passed >= 0);
ALTER TABLE releases ADD COLUMN tests_failed INTEGER CHECK (tests_failed >= 0);
ALTER TABLE releases ADD COLUMN bugs_found INTEGER CHECK (bugs_found >= 0);
ALTER TABLE releases ADD COLUMN bugs_fixed INTEGER CHECK (bugs_fixed >= 0);

ALTER TABLE releases ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;

-- A release that a license may have whatever its dates say.
CREATE TABLE release_grants (
    release_id TEXT NOT NULL REFERENCES releases (id),
    license_id TEXT NOT NULL REFERENCES licenses (id),
    reason TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (release_id, license_id)
);
CREATE INDEX release_grants_license ON release_grants (license_id, release_id);

-- For which machines a file is; null for all.
ALTER TABLE artifacts ADD COLUMN platform TEXT;
ALTER TABLE artifacts ADD COLUMN arch TEXT;

-- Whether everybody may have the kit, without a key.
ALTER TABLE kits ADD COLUMN is_open BOOLEAN NOT NULL DEFAULT FALSE;
