-- What a request with an Idempotency-Key made, so that the same request makes it once. Holds no
-- answer: the resource's id, and a secret that is shown once, encrypted.
CREATE TABLE idempotency_keys (
    digest BYTEA PRIMARY KEY,
    request_digest BYTEA NOT NULL,
    resource TEXT NOT NULL,
    secret BYTEA,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
