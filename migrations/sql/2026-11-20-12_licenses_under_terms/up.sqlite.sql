-- Policies could not be edited before, so every license has the terms of its policy.
-- A column that may not be empty needs a default here; the check of references at the end would find a row that kept it.
ALTER TABLE licenses ADD COLUMN terms_id TEXT NOT NULL DEFAULT '-' REFERENCES terms (id);
UPDATE licenses SET terms_id = 'trm' || substr(policy_id, 4);
ALTER TABLE licenses ADD COLUMN first_activated_at TIMESTAMP;
ALTER TABLE licenses ADD COLUMN past_due_since TIMESTAMP;
ALTER TABLE licenses ADD COLUMN lapsed_at TIMESTAMP;
ALTER TABLE licenses ADD COLUMN paid_months INTEGER NOT NULL DEFAULT 0 CHECK (paid_months >= 0);
-- Until when seats beyond a lowered limit are kept.
ALTER TABLE licenses ADD COLUMN over_limit_until TIMESTAMP;
ALTER TABLE licenses ADD COLUMN merged_into TEXT REFERENCES licenses (id);
-- Beside those of its terms.
ALTER TABLE licenses ADD COLUMN extra_entitlements TEXT NOT NULL DEFAULT '[]';
ALTER TABLE licenses ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';
ALTER TABLE licenses DROP COLUMN edition;
ALTER TABLE licenses DROP COLUMN scope;
ALTER TABLE licenses DROP COLUMN seat_kind;
ALTER TABLE licenses DROP COLUMN license_file_days;
DROP TABLE license_kits;
CREATE INDEX licenses_policy ON licenses (policy_id, id);
CREATE INDEX licenses_terms ON licenses (terms_id);
CREATE INDEX licenses_valid_until ON licenses (valid_until) WHERE valid_until IS NOT NULL;
ALTER TABLE policies ADD COLUMN terms_number INTEGER NOT NULL DEFAULT 1;
-- Where a license under this policy is renewed; without one, on its own page.
ALTER TABLE policies ADD COLUMN renew_url TEXT;
ALTER TABLE policies ADD COLUMN template TEXT;
ALTER TABLE policies DROP COLUMN edition;
ALTER TABLE policies DROP COLUMN scope;
ALTER TABLE policies DROP COLUMN seat_kind;
ALTER TABLE policies DROP COLUMN seat_limit;
ALTER TABLE policies DROP COLUMN updates_months;
ALTER TABLE policies DROP COLUMN valid_months;
ALTER TABLE policies DROP COLUMN license_file_days;
DROP TABLE policy_kits;
