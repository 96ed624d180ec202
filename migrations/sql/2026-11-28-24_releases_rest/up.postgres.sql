-- All at first, in the order in which programs of before take them: one that has the one and waits for
-- the other must not meet this on its way.
LOCK TABLE releases, artifacts, notices IN ACCESS EXCLUSIVE MODE;

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
UPDATE blobs SET unused_since = CURRENT_TIMESTAMP AT TIME ZONE 'UTC'
WHERE references_count = 0 AND unused_since = created_at AND deleting_since IS NULL;

-- A release whose row is locked by writing it as it is has not changed.
DROP TRIGGER releases_catalog ON releases;
CREATE TRIGGER releases_catalog AFTER INSERT OR DELETE ON releases
    FOR EACH ROW EXECUTE FUNCTION count_release();
CREATE TRIGGER releases_update_catalog AFTER UPDATE ON releases
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION count_release();
