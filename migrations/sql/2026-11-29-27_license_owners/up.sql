-- What a former owner did with the seats counts against nobody who has the license later.
ALTER TABLE licenses ADD COLUMN owned_since TIMESTAMP;
