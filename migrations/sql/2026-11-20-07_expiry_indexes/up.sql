-- What is over is deleted in slices, the oldest first.
CREATE INDEX sign_ins_created ON sign_ins (created_at);
CREATE INDEX sessions_expires ON sessions (expires_at);
CREATE INDEX download_tickets_expires ON download_tickets (expires_at);
