-- Until when a license file of a machine that is never online speaks for the seat.
ALTER TABLE activations ADD COLUMN offline_until TIMESTAMP;
CREATE INDEX activations_license_leases ON activations (license_id, lease_ends_at)
    WHERE freed_at IS NULL AND lease_ends_at IS NOT NULL;
CREATE INDEX licenses_over_limit ON licenses (over_limit_until) WHERE over_limit_until IS NOT NULL;
