-- Counts the changes of what a kit's listings and update checks show: of the kit, its releases and
-- their files. Who keeps them in memory sees by this number whether they still hold. Whatever
-- changes them counts, in the same transaction. (A migration that makes one of these tables anew makes
-- its triggers anew.)
CREATE TABLE catalogs (
    kit_id TEXT PRIMARY KEY REFERENCES kits (id),
    version BIGINT NOT NULL
);
INSERT INTO catalogs (kit_id, version) SELECT id, 1 FROM kits;

CREATE FUNCTION count_kit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO catalogs (kit_id, version) VALUES (NEW.id, 1);
    ELSE
        UPDATE catalogs SET version = version + 1 WHERE kit_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER kits_catalog AFTER INSERT OR UPDATE ON kits
    FOR EACH ROW EXECUTE FUNCTION count_kit();

CREATE FUNCTION count_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        UPDATE catalogs SET version = version + 1 WHERE kit_id = NEW.kit_id;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        UPDATE catalogs SET version = version + 1 WHERE kit_id = OLD.kit_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER releases_catalog AFTER INSERT OR UPDATE OR DELETE ON releases
    FOR EACH ROW EXECUTE FUNCTION count_release();

CREATE FUNCTION count_artifact() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        UPDATE catalogs SET version = version + 1
        WHERE kit_id = (SELECT kit_id FROM releases WHERE id = NEW.release_id);
    END IF;
    IF TG_OP <> 'INSERT' THEN
        UPDATE catalogs SET version = version + 1
        WHERE kit_id = (SELECT kit_id FROM releases WHERE id = OLD.release_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER artifacts_catalog AFTER INSERT OR UPDATE OR DELETE ON artifacts
    FOR EACH ROW EXECUTE FUNCTION count_artifact();
