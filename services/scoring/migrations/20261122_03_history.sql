-- restatement: late events change the points of past days
-- depends: 20261122_02_columns

-- migrate: apply
-- When events that came late last changed the point; null when none did.
ALTER TABLE history ADD COLUMN restated_at timestamptz;

-- One row, written with the first point of all: the first day that can be restated. Days before it
-- were not counted, or by other rules; who counts from the beginning again, or by new rules, moves
-- it to that day.
CREATE TABLE history_start (
    is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row),
    day date NOT NULL
);

-- What the late events of a batch have changed, until the roll-up has taken it up: from a local day
-- on, this difference, in a unit itself and the indicator with that bit. When a change ends (a
-- window has run out, the subject has moved), another entry takes it back from that day on.
CREATE TABLE corrections (
    shard integer NOT NULL,
    batch bigint NOT NULL,
    area_ids text[] NOT NULL,
    bits smallint[] NOT NULL,
    days date[] NOT NULL,
    numerators bigint[] NOT NULL,
    denominators bigint[] NOT NULL,
    PRIMARY KEY (shard, batch)
);

-- migrate: rollback
DROP TABLE corrections, history_start;
ALTER TABLE history DROP COLUMN restated_at;
