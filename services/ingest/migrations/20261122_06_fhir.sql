-- which event of each subscription was heard last, and how many were missed
-- depends: 20261122_01_ingest

-- migrate: apply
-- `last_event` is -1 until the first notification. `missed_events` only grows: the connector's cursor
-- says up to which of them it has caught up.
CREATE TABLE fhir_subscriptions (
    connector text COLLATE "C",
    subscription text COLLATE "C",
    status text NOT NULL,
    last_event bigint NOT NULL,
    missed_events bigint NOT NULL,
    heard_at timestamptz NOT NULL,
    PRIMARY KEY (connector, subscription)
);

-- migrate: rollback
DROP TABLE fhir_subscriptions;
