-- Deliveries forget their network after some time: the sweep finds those that still have one.
CREATE INDEX downloads_with_network ON downloads (started_at) WHERE network IS NOT NULL;
