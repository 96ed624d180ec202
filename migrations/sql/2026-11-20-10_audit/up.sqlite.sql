-- Signed statements of what the audit log was, so that a rewritten or shortened one is found out.
CREATE TABLE audit_checkpoints (
    seq BIGINT PRIMARY KEY,
    hash BYTEA NOT NULL,
    at TIMESTAMP NOT NULL,
    token TEXT NOT NULL
);

-- Entries are added at the end and then stay. An INSERT OR REPLACE fires no trigger of DELETE, so
-- inserts are looked at too.
CREATE TRIGGER audit_log_insert BEFORE INSERT ON audit_log
WHEN EXISTS (SELECT 1 FROM audit_log WHERE seq >= NEW.seq)
BEGIN SELECT RAISE(ABORT, 'audit_log only grows at its end'); END;
CREATE TRIGGER audit_log_update BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'audit_log is never changed'); END;
CREATE TRIGGER audit_log_delete BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'audit_log is never changed'); END;

-- Personal values may be erased, not exchanged.
CREATE TRIGGER audit_details_insert BEFORE INSERT ON audit_details
WHEN EXISTS (SELECT 1 FROM audit_details WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'audit_details is never changed, only erased'); END;
CREATE TRIGGER audit_details_update BEFORE UPDATE ON audit_details
BEGIN SELECT RAISE(ABORT, 'audit_details is never changed, only erased'); END;

-- The head moves forward, and to the hash of an entry.
CREATE TRIGGER audit_head_insert BEFORE INSERT ON audit_head
WHEN EXISTS (SELECT 1 FROM audit_head)
BEGIN SELECT RAISE(ABORT, 'audit_head only moves forward'); END;
CREATE TRIGGER audit_head_update BEFORE UPDATE ON audit_head
WHEN NEW.id <> OLD.id OR NEW.seq < OLD.seq OR (NEW.hash <> OLD.hash
    AND NOT EXISTS (SELECT 1 FROM audit_log WHERE seq = NEW.seq AND hash = NEW.hash))
BEGIN SELECT RAISE(ABORT, 'audit_head only moves forward'); END;
CREATE TRIGGER audit_head_delete BEFORE DELETE ON audit_head
BEGIN SELECT RAISE(ABORT, 'audit_head only moves forward'); END;

CREATE TRIGGER audit_checkpoints_insert BEFORE INSERT ON audit_checkpoints
WHEN EXISTS (SELECT 1 FROM audit_checkpoints WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'audit_checkpoints is never changed'); END;
CREATE TRIGGER audit_checkpoints_update BEFORE UPDATE ON audit_checkpoints
BEGIN SELECT RAISE(ABORT, 'audit_checkpoints is never changed'); END;
CREATE TRIGGER audit_checkpoints_delete BEFORE DELETE ON audit_checkpoints
BEGIN SELECT RAISE(ABORT, 'audit_checkpoints is never changed'); END;
