-- Whether an entry is behind all others is asked of the end of the index. "Is there any that is not
-- before it" was answered by reading all entries, because a third of any table was taken to fit.
CREATE OR REPLACE FUNCTION audit_log_append() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.seq <= (SELECT seq FROM audit_log ORDER BY seq DESC LIMIT 1) THEN
        RAISE EXCEPTION 'audit_log only grows at its end';
    END IF;
    RETURN NEW;
END $$;
