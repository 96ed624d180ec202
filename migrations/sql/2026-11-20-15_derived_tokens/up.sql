-- When a token for builds was first seen to run like a workstation.
ALTER TABLE license_tokens ADD COLUMN flagged_at TIMESTAMP;

-- From where publishable ids may be used; browsers ask for the origin alone before they send the id.
CREATE TABLE token_origins (
    origin TEXT NOT NULL,
    token_id TEXT NOT NULL REFERENCES license_tokens (id),
    PRIMARY KEY (origin, token_id)
);
