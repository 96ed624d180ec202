-- What a former owner did with the seats counts against nobody who has the license later.
ALTER TABLE licenses ADD COLUMN owned_since TIMESTAMP;

-- What an edit is checked against: seats and heartbeats count the version up, people the revision.
ALTER TABLE licenses ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;

-- Whoever looks for an order by its address does not know in which spelling it was typed.
DROP INDEX orders_email;
CREATE INDEX orders_email_spelling ON orders (lower(email));
