-- what units have reported when, and what has been told about it
-- depends: 20261122_01_ingest

-- migrate: apply
-- When a unit first and last reported an indicator for a period, whoever brought it; the number of
-- the latest version, 0 where figures came as single events.
CREATE TABLE received_figures (
    period text COLLATE "C" NOT NULL,
    area_id text COLLATE "C" NOT NULL,
    indicator text COLLATE "C" NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (period, area_id, indicator)
);

-- One row: the days on which reminders were first and last looked for. What was missing before the
-- first of them is nobody's fault here, and is not told.
CREATE TABLE reminder_days (
    is_single boolean PRIMARY KEY DEFAULT true CHECK (is_single),
    began_on date NOT NULL,
    looked_on date NOT NULL
);

-- Events for report-events.v1, and the log of those that are there. Ids are derived, so nothing is
-- told twice.
CREATE TABLE reminders (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    type text COLLATE "C" NOT NULL,
    area_id text COLLATE "C" NOT NULL,
    period text COLLATE "C" NOT NULL,
    payload text NOT NULL,
    published_at timestamptz
);
CREATE INDEX reminders_waiting ON reminders (number) WHERE published_at IS NULL;
CREATE INDEX reminders_period ON reminders (period, area_id);

-- migrate: rollback
DROP TABLE reminders, reminder_days, received_figures;
