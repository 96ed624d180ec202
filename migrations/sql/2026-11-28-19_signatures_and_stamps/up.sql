-- BLAKE2b-512 of the bytes, which signatures are made over.
ALTER TABLE artifacts ADD COLUMN blake2b TEXT;
ALTER TABLE artifacts ADD COLUMN signature TEXT;
ALTER TABLE artifacts ADD COLUMN signed_by TEXT CHECK (signed_by IN ('server', 'vendor'));
-- What the listing of an archive found.
ALTER TABLE artifacts ADD COLUMN archive TEXT CHECK (archive IN ('zip', 'tar', 'tar.gz', 'tar.zst'));
ALTER TABLE artifacts ADD COLUMN archive_entries BIGINT;
ALTER TABLE artifacts ADD COLUMN archive_bytes BIGINT;
-- The records at the end of a zip, up to its comment.
ALTER TABLE artifacts ADD COLUMN zip_end BYTEA;
-- Why it cannot carry a stamp.
ALTER TABLE artifacts ADD COLUMN unstampable TEXT;

ALTER TABLE kits ADD COLUMN stamps BOOLEAN NOT NULL DEFAULT FALSE;
