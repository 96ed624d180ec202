-- Raw provider events, stored before anything is decided.
CREATE TABLE payment_events (
    id TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    mode TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    object_id TEXT,
    sealed_body BYTEA NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('received', 'handled', 'ignored_mode', 'ignored_type', 'failed')),
    received_at TIMESTAMP NOT NULL,
    handled_at TIMESTAMP,
    UNIQUE (provider, mode, event_id)
);
CREATE INDEX payment_events_status ON payment_events (status, id);

CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    lane TEXT NOT NULL CHECK (lane IN ('mail', 'payments')),
    kind TEXT NOT NULL,
    sealed_parameters BYTEA NOT NULL,
    created_at TIMESTAMP NOT NULL,
    due_at TIMESTAMP NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    reservation_version BIGINT NOT NULL DEFAULT 0,
    reserved_until TIMESTAMP,
    done_at TIMESTAMP,
    dead_at TIMESTAMP,
    last_error TEXT
);
CREATE INDEX outbox_due ON outbox (lane, due_at, id) WHERE done_at IS NULL AND dead_at IS NULL;
