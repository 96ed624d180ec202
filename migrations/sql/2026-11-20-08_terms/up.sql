-- License texts are never edited: a changed text gets the next number.
CREATE TABLE license_texts (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    body TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (name, number)
);

-- What a policy grants. Rows never change: an edited policy gets the next number, and a license
-- points at the one it was issued under. So a snapshot is a reference, and may be cached for ever.
CREATE TABLE terms (
    id TEXT PRIMARY KEY,
    policy_id TEXT NOT NULL REFERENCES policies (id),
    number INTEGER NOT NULL CHECK (number > 0),
    edition TEXT NOT NULL,
    license_text_id TEXT REFERENCES license_texts (id),
    scope TEXT NOT NULL CHECK (scope IN ('kits', 'all')),
    seat_kind TEXT NOT NULL CHECK (seat_kind IN ('none', 'device', 'site', 'user', 'project')),
    seat_limit INTEGER CHECK (seat_limit > 0),
    lease_seconds INTEGER CHECK (lease_seconds > 0),
    overage_seats INTEGER CHECK (overage_seats > 0),
    overage_percent INTEGER CHECK (overage_percent > 0),
    churn_seats INTEGER CHECK (churn_seats > 0),
    churn_days INTEGER CHECK (churn_days > 0),
    free_unseen_days INTEGER CHECK (free_unseen_days > 0),
    staging_hosts TEXT NOT NULL,
    valid_months INTEGER CHECK (valid_months > 0),
    valid_days INTEGER CHECK (valid_days > 0),
    basis TEXT NOT NULL CHECK (basis IN ('issue', 'first_activation')),
    on_lapse TEXT NOT NULL CHECK (on_lapse IN ('keep', 'stop')),
    keep_after_paid_months INTEGER NOT NULL CHECK (keep_after_paid_months >= 0),
    updates_months INTEGER CHECK (updates_months > 0),
    security_grace_days INTEGER NOT NULL CHECK (security_grace_days >= 0),
    grace_days INTEGER NOT NULL CHECK (grace_days >= 0),
    license_file_days INTEGER NOT NULL CHECK (license_file_days BETWEEN 1 AND 366),
    offline_file_days INTEGER CHECK (offline_file_days > 0),
    entitlements TEXT NOT NULL,
    ci_use BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (policy_id, number)
);

CREATE TABLE terms_kits (
    terms_id TEXT NOT NULL REFERENCES terms (id),
    kit_id TEXT NOT NULL REFERENCES kits (id),
    PRIMARY KEY (terms_id, kit_id)
);

INSERT INTO terms
SELECT 'trm' || substr(id, 4), id, 1, edition, NULL, scope, seat_kind, seat_limit, NULL, NULL, NULL, NULL, NULL, NULL,
    '[]', valid_months, NULL, 'issue', 'keep', 0, updates_months, 0, 0, license_file_days, NULL, '[]', TRUE, created_at
FROM policies;
INSERT INTO terms_kits SELECT 'trm' || substr(policy_id, 4), kit_id FROM policy_kits;

-- Several keys per license: signed ones, replaced ones, and those of other systems kept verbatim.
ALTER TABLE license_keys ADD COLUMN source TEXT NOT NULL DEFAULT 'kitward';
-- The one that is shown and mailed.
ALTER TABLE license_keys ADD COLUMN is_primary BOOLEAN NOT NULL DEFAULT FALSE;
-- Until when a replaced key is still honored.
ALTER TABLE license_keys ADD COLUMN honored_until TIMESTAMP;
UPDATE license_keys SET is_primary = TRUE WHERE replaced_at IS NULL;
UPDATE license_keys SET honored_until = replaced_at;
CREATE UNIQUE INDEX license_keys_one_primary ON license_keys (license_id) WHERE is_primary;

-- A floating seat is held until then.
ALTER TABLE activations ADD COLUMN lease_ends_at TIMESTAMP;
-- Why the seat was freed.
ALTER TABLE activations ADD COLUMN freed_reason TEXT CHECK (freed_reason IN ('freed', 'lease_ended', 'unseen', 'over_limit'));
UPDATE activations SET freed_reason = 'freed' WHERE freed_at IS NOT NULL;
CREATE INDEX activations_leases ON activations (lease_ends_at) WHERE freed_at IS NULL AND lease_ends_at IS NOT NULL;

-- What happened to seats: not chained, kept for counting moves and for the license's page.
CREATE TABLE activation_events (
    id TEXT PRIMARY KEY,
    license_id TEXT NOT NULL REFERENCES licenses (id),
    activation_id TEXT NOT NULL REFERENCES activations (id),
    kind TEXT NOT NULL CHECK (kind IN ('activated', 'freed', 'lease_ended', 'unseen', 'over_limit')),
    by_whom TEXT NOT NULL CHECK (by_whom IN ('kit', 'customer', 'staff', 'system')),
    at TIMESTAMP NOT NULL
);
CREATE INDEX activation_events_license ON activation_events (license_id, at);

-- What the vendor's people wrote about a license.
CREATE TABLE license_notes (
    id TEXT PRIMARY KEY,
    license_id TEXT NOT NULL REFERENCES licenses (id),
    author TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX license_notes_license ON license_notes (license_id, id);

-- Tokens derived from a key: for CI, for downloads, and ids that may be published.
CREATE TABLE license_tokens (
    id TEXT PRIMARY KEY,
    license_id TEXT NOT NULL REFERENCES licenses (id),
    license_key_id TEXT REFERENCES license_keys (id),
    person_id TEXT REFERENCES people (id),
    kind TEXT NOT NULL CHECK (kind IN ('ci', 'download', 'publishable')),
    name TEXT NOT NULL,
    hint TEXT NOT NULL,
    digest BYTEA NOT NULL UNIQUE,
    origins TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP,
    revoked_at TIMESTAMP
);
CREATE INDEX license_tokens_license ON license_tokens (license_id, id);
