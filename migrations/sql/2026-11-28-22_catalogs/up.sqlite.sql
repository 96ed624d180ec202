-- Counts the changes of what a kit's listings and update checks show: of the kit, its releases and
-- their files. Who keeps them in memory sees by this number whether they still hold. Whatever
-- changes them counts, in the same transaction. (A migration that makes one of these tables anew makes
-- its triggers anew.)
CREATE TABLE catalogs (
    kit_id TEXT PRIMARY KEY REFERENCES kits (id),
    version BIGINT NOT NULL
);
INSERT INTO catalogs (kit_id, version) SELECT id, 1 FROM kits;

CREATE TRIGGER kits_insert_catalog AFTER INSERT ON kits BEGIN
    INSERT INTO catalogs (kit_id, version) VALUES (NEW.id, 1);
END;
CREATE TRIGGER kits_update_catalog AFTER UPDATE ON kits BEGIN
    UPDATE catalogs SET version = version + 1 WHERE kit_id = NEW.id;
END;

CREATE TRIGGER releases_insert_catalog AFTER INSERT ON releases BEGIN
    UPDATE catalogs SET version = version + 1 WHERE kit_id = NEW.kit_id;
END;
CREATE TRIGGER releases_update_catalog AFTER UPDATE ON releases BEGIN
    UPDATE catalogs SET version = version + 1 WHERE kit_id IN (OLD.kit_id, NEW.kit_id);
END;
CREATE TRIGGER releases_delete_catalog AFTER DELETE ON releases BEGIN
    UPDATE catalogs SET version = version + 1 WHERE kit_id = OLD.kit_id;
END;

CREATE TRIGGER artifacts_insert_catalog AFTER INSERT ON artifacts BEGIN
    UPDATE catalogs SET version = version + 1
    WHERE kit_id = (SELECT kit_id FROM releases WHERE id = NEW.release_id);
END;
CREATE TRIGGER artifacts_update_catalog AFTER UPDATE ON artifacts BEGIN
    UPDATE catalogs SET version = version + 1
    WHERE kit_id IN (SELECT kit_id FROM releases WHERE id IN (OLD.release_id, NEW.release_id));
END;
CREATE TRIGGER artifacts_delete_catalog AFTER DELETE ON artifacts BEGIN
    UPDATE catalogs SET version = version + 1
    WHERE kit_id = (SELECT kit_id FROM releases WHERE id = OLD.release_id);
END;
