-- Whether somebody looked into a file when it came: only then is it known what it is. Files of before,
-- and those a program of before takes in during an upgrade, are looked into when that is needed.
ALTER TABLE artifacts ADD COLUMN examined BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE artifacts SET examined = TRUE WHERE archive IS NOT NULL;

-- What a person heard of a release: who heard of a new version may have to hear that it closes a hole.
ALTER TABLE notices ADD COLUMN kind TEXT CHECK (kind IN ('new_version', 'advisory'));
UPDATE notices SET kind = (
    SELECT kind FROM release_notices WHERE release_notices.release_id = notices.release_id
);

-- What buyers who never signed in hear of a security release: once, where their keys were mailed to.
CREATE TABLE buyer_notices (
    release_id TEXT NOT NULL REFERENCES releases (id),
    customer_id TEXT NOT NULL REFERENCES customers (id),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'skipped', 'failed')),
    reason TEXT,
    -- Of the outbox: one mail counts, however often the walk comes by.
    job_id TEXT,
    created_at TIMESTAMP NOT NULL,
    settled_at TIMESTAMP,
    PRIMARY KEY (release_id, customer_id)
);
-- A row is a buyer who wants none about a kit.
CREATE TABLE buyer_choices (
    customer_id TEXT NOT NULL REFERENCES customers (id),
    kit_id TEXT NOT NULL REFERENCES kits (id),
    since TIMESTAMP NOT NULL,
    PRIMARY KEY (customer_id, kit_id)
);

-- Bytes that nothing refers to and that were never marked before migration 18 have their day from now
-- on: a program of before may be about to refer to them.
UPDATE blobs SET unused_since = CURRENT_TIMESTAMP
WHERE references_count = 0 AND unused_since = created_at AND deleting_since IS NULL;

-- A release whose row is locked by writing it as it is has not changed.
DROP TRIGGER releases_update_catalog;
CREATE TRIGGER releases_update_catalog AFTER UPDATE ON releases
WHEN (
        OLD.id, OLD.kit_id, OLD.version, OLD.channel, OLD.severity, OLD.status, OLD.notes,
        OLD.entitled_at, OLD.published_at, OLD.yanked_at, OLD.withdrawn_at, OLD.required_entitlements,
        OLD.minimum_version, OLD.rollout, OLD.rollout_salt, OLD.halted_at, OLD.yank_reason,
        OLD.withdraw_reason, OLD.quality_score, OLD.build_seconds, OLD.tests_passed, OLD.tests_failed,
        OLD.bugs_found, OLD.bugs_fixed, OLD.revision, OLD.created_at
    ) IS NOT (
        NEW.id, NEW.kit_id, NEW.version, NEW.channel, NEW.severity, NEW.status, NEW.notes,
        NEW.entitled_at, NEW.published_at, NEW.yanked_at, NEW.withdrawn_at, NEW.required_entitlements,
        NEW.minimum_version, NEW.rollout, NEW.rollout_salt, NEW.halted_at, NEW.yank_reason,
        NEW.withdraw_reason, NEW.quality_score, NEW.build_seconds, NEW.tests_passed, NEW.tests_failed,
        NEW.bugs_found, NEW.bugs_fixed, NEW.revision, NEW.created_at
    )
BEGIN
    UPDATE catalogs SET version = version + 1 WHERE kit_id IN (OLD.kit_id, NEW.kit_id);
END;
