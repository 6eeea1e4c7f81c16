-- how far each connector is, and how it fares
-- depends:

-- migrate: apply
-- `version` grows by one with each move, so that a process that lost its turn cannot move it back.
CREATE TABLE checkpoints (
    connector text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    cursor jsonb NOT NULL,
    moved_at timestamptz NOT NULL
);

CREATE TABLE connector_states (
    connector text COLLATE "C" PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('running', 'failing', 'paused', 'stopped')),
    detail text NOT NULL,
    since timestamptz NOT NULL
);

-- migrate: rollback
DROP TABLE connector_states;
DROP TABLE checkpoints;
