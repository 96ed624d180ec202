CREATE TABLE people (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);

-- Verified addresses only; `address` is the normalized form, unique among verified ones.
CREATE TABLE person_emails (
    address TEXT PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES people (id),
    as_typed TEXT NOT NULL,
    verified_at TIMESTAMP NOT NULL
);
CREATE INDEX person_emails_person ON person_emails (person_id);

-- `claim_address`: a stub waits here for the first sign-in with that address.
CREATE TABLE customers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    claim_address TEXT UNIQUE,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE memberships (
    customer_id TEXT NOT NULL REFERENCES customers (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    role TEXT NOT NULL CHECK (role IN ('owner', 'billing', 'member')),
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (customer_id, person_id)
);
CREATE INDEX memberships_person ON memberships (person_id);

CREATE TABLE provider_customers (
    provider TEXT NOT NULL,
    mode TEXT NOT NULL,
    external_id TEXT NOT NULL,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    PRIMARY KEY (provider, mode, external_id)
);

-- A pending sign-in. `browser_digest` null: made by an operator, usable from any browser.
CREATE TABLE sign_ins (
    id TEXT PRIMARY KEY,
    address TEXT NOT NULL,
    as_typed TEXT NOT NULL,
    browser_digest BYTEA,
    link_digest BYTEA NOT NULL UNIQUE,
    code_digest BYTEA,
    tries INTEGER NOT NULL DEFAULT 0,
    return_to TEXT,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    consumed_at TIMESTAMP
);
CREATE INDEX sign_ins_address ON sign_ins (address, created_at);
CREATE INDEX sign_ins_browser ON sign_ins (browser_digest);

CREATE TABLE sessions (
    digest BYTEA PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES people (id),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP
);
CREATE INDEX sessions_person ON sessions (person_id);
