-- What a former owner did with the seats counts against nobody who has the license later.
ALTER TABLE licenses ADD COLUMN owned_since TIMESTAMP;

-- What an edit is checked against: seats and heartbeats count the version up, people the revision.
ALTER TABLE licenses ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;

-- Who read a license before may edit it still, and nobody who read an older one.
UPDATE licenses SET revision = version WHERE version <> 1;

-- Each transfer is on record, with the moment at which it ended the former owner's keys.
UPDATE licenses SET owned_since = (
    SELECT MAX(audit_log.at) FROM audit_log
    WHERE audit_log.subject = licenses.id AND audit_log.action = 'license.transferred'
)
WHERE id IN (SELECT subject FROM audit_log WHERE action = 'license.transferred');
