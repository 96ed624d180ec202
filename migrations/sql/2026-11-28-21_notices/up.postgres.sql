-- Lanes for jobs, and for the two kinds of notices.
ALTER TABLE outbox DROP CONSTRAINT outbox_lane_check;
ALTER TABLE outbox ADD CONSTRAINT outbox_lane_check
    CHECK (lane IN ('mail', 'payments', 'jobs', 'advisories', 'notices'));

-- How far telling people about a release is. Each walk goes through everybody once, by id; a rollout
-- that grows, or a release that comes back, makes another walk.
CREATE TABLE release_notices (
    release_id TEXT PRIMARY KEY REFERENCES releases (id),
    kind TEXT NOT NULL CHECK (kind IN ('new_version', 'advisory')),
    state TEXT NOT NULL CHECK (state IN ('walking', 'walked', 'skipped')),
    walk BIGINT NOT NULL,
    reached TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);

-- A mail to one person. What comes out while it is open joins it.
CREATE TABLE notice_mails (
    id TEXT PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES people (id),
    topic TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    closed_at TIMESTAMP
);
CREATE UNIQUE INDEX notice_mails_open ON notice_mails (person_id, topic) WHERE closed_at IS NULL;

-- What one person hears of one release: once.
CREATE TABLE notices (
    release_id TEXT NOT NULL REFERENCES releases (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    mail_id TEXT REFERENCES notice_mails (id),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'skipped', 'failed')),
    reason TEXT,
    created_at TIMESTAMP NOT NULL,
    settled_at TIMESTAMP,
    PRIMARY KEY (release_id, person_id)
);
CREATE INDEX notices_mail ON notices (mail_id);

-- A row is a kind of mail that somebody switched off: for a kit, and for all of them.
CREATE TABLE notice_choices (
    person_id TEXT NOT NULL REFERENCES people (id),
    kit_id TEXT NOT NULL REFERENCES kits (id),
    kind TEXT NOT NULL CHECK (kind IN ('new_version', 'advisory')),
    since TIMESTAMP NOT NULL,
    PRIMARY KEY (person_id, kit_id, kind)
);
CREATE TABLE notice_silences (
    person_id TEXT PRIMARY KEY REFERENCES people (id),
    since TIMESTAMP NOT NULL
);

-- When the next mail of a lane may leave, in microseconds since 1970.
CREATE TABLE notice_pace (
    lane TEXT PRIMARY KEY,
    next_micros BIGINT NOT NULL
);

-- Update checks, counted by day. An empty version stands for all that are no release of the kit.
CREATE TABLE update_check_days (
    day TEXT NOT NULL,
    kit_id TEXT NOT NULL REFERENCES kits (id),
    version TEXT NOT NULL,
    checks BIGINT NOT NULL,
    subjects BIGINT NOT NULL,
    PRIMARY KEY (day, kit_id, version)
);
