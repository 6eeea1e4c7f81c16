-- the catalogues that subjects have been counted under
-- depends: 20261122_03_history

-- migrate: apply
-- As long as state is kept, a slot or a bit must mean what it meant under each of these.
CREATE TABLE rules (
    fingerprint text COLLATE "C" PRIMARY KEY,
    catalogue jsonb NOT NULL,
    taken_up_at timestamptz NOT NULL
);

-- migrate: rollback
DROP TABLE rules;
