-- digests by week and month, and the figures that they compare
-- depends: 20261122_02_reports

-- migrate: apply
-- One row a period whose measure was taken. is_told false: it was left out, being the first or too
-- long ago. finished_at: every digest of the period has been written.
CREATE TABLE digest_periods (
    cadence text NOT NULL CHECK (cadence IN ('weekly', 'monthly')),
    period text COLLATE "C" NOT NULL,
    marked_at timestamptz NOT NULL,
    is_told boolean NOT NULL,
    finished_at timestamptz,
    PRIMARY KEY (cadence, period)
);

-- The figures as they stood when a period's measure was taken; the last two of a cadence are kept.
CREATE TABLE digest_marks (
    cadence text NOT NULL,
    period text COLLATE "C" NOT NULL,
    area text COLLATE "C" NOT NULL,
    indicator text COLLATE "C" NOT NULL,
    basis text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    numerator bigint,
    denominator bigint,
    value numeric,
    updated_at timestamptz NOT NULL,
    first_on date,
    first_percent numeric,
    PRIMARY KEY (cadence, period, area, indicator, basis)
);

-- What beside a message makes a digest; asked_by: who had it written by hand.
CREATE TABLE digests (
    message uuid PRIMARY KEY REFERENCES messages ON DELETE CASCADE,
    cadence text NOT NULL,
    period text COLLATE "C" NOT NULL,
    form text NOT NULL CHECK (form IN ('unit', 'leaders')),
    asked_by text
);

-- migrate: rollback
DELETE FROM messages WHERE id IN (SELECT message FROM digests);
DROP TABLE digests, digest_marks, digest_periods;
