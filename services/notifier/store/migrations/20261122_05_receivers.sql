-- how each receiver fares: who serves it, until when it rests, whether it wants no more
-- depends: 20261122_02_reports

-- migrate: apply
-- leased_until: until then a sender is at work for it, one at a time. failures: in a row.
-- A disabled receiver is not served; its deliveries wait, and are given up when their time is over.
CREATE TABLE receivers (
    name text COLLATE "C" PRIMARY KEY,
    kind text NOT NULL,
    failures integer NOT NULL DEFAULT 0,
    leased_until timestamptz,
    resting_until timestamptz,
    served_at timestamptz,
    disabled_at timestamptz,
    disabled_reason text,
    disabled_fingerprint text,
    enabled_at timestamptz,
    enabled_by text
);
INSERT INTO receivers (name, kind, leased_until)
SELECT receiver, min(kind), max(leased_until) FROM deliveries GROUP BY receiver;

-- Why it ended, or why it is tried again; also a label of the metrics.
ALTER TABLE deliveries ADD COLUMN reason text;
-- The lease is the receiver's now.
ALTER TABLE deliveries DROP COLUMN leased_until;
CREATE INDEX deliveries_receiver ON deliveries (receiver, created_at, id) WHERE state = 'waiting';

-- Tokens of services that we send by, sealed under a key that is not here.
CREATE TABLE tokens (
    account text COLLATE "C" PRIMARY KEY,
    access bytea,
    refresh bytea,
    expires_at timestamptz,
    fingerprint text
);

-- migrate: rollback
DROP TABLE tokens;
DROP INDEX deliveries_receiver;
ALTER TABLE deliveries ADD COLUMN leased_until timestamptz;
ALTER TABLE deliveries DROP COLUMN reason;
DROP TABLE receivers;
