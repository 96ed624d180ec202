ALTER TABLE customers ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- What support looks for by one word: a device or site, a provider's payment, a mail address.
CREATE INDEX activations_identity ON activations (identity, license_id);
CREATE INDEX orders_business_key ON orders (business_key);
CREATE INDEX orders_payment_ref ON orders (payment_ref) WHERE payment_ref IS NOT NULL;
CREATE INDEX orders_email ON orders (email);
CREATE INDEX provider_customers_external ON provider_customers (external_id);
CREATE INDEX license_tokens_key ON license_tokens (license_key_id);
CREATE INDEX licenses_updates_until ON licenses (updates_until) WHERE updates_until IS NOT NULL;
