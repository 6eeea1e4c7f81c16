-- facts of subjects, counters, figures and what is still to be told
-- depends:

-- migrate: apply
-- One row a partition of subject-events.v1. Whoever changes a shard holds this row's lock, and
-- next_offset moves with what the records below it changed, in one transaction.
CREATE TABLE shards (
    shard integer PRIMARY KEY,
    next_offset bigint NOT NULL DEFAULT 0,
    batch bigint NOT NULL DEFAULT 0,
    evaluated_on date
);

-- Facts, and where the subject has been counted: unit and bit masks by the catalogue's bits.
-- due_on is the next local day on which time alone could change the masks.
CREATE TABLE subjects (
    shard integer NOT NULL,
    subject text COLLATE "C" NOT NULL,
    facts bytea NOT NULL,
    area_id text,
    population bigint NOT NULL,
    numerator bigint NOT NULL,
    due_on date,
    PRIMARY KEY (shard, subject)
);
CREATE INDEX subjects_due ON subjects (shard, due_on) WHERE due_on IS NOT NULL;

-- One writer a row: the worker that holds the shard.
CREATE TABLE counters (
    area_id text COLLATE "C" NOT NULL,
    indicator text COLLATE "C" NOT NULL,
    shard integer NOT NULL,
    numerator bigint NOT NULL,
    denominator bigint NOT NULL,
    PRIMARY KEY (area_id, indicator, shard)
) WITH (fillfactor = 50);

-- What a batch has touched, until the roll-up has taken it up.
CREATE TABLE touched (
    shard integer NOT NULL,
    batch bigint NOT NULL,
    area_ids text[] NOT NULL,
    indicators text[] NOT NULL,
    reported_area_ids text[] NOT NULL,
    reported_indicators text[] NOT NULL,
    PRIMARY KEY (shard, batch)
);

-- The latest report of each unit, indicator and period; ordered as registers are.
CREATE TABLE reports (
    reporter text COLLATE "C" NOT NULL,
    indicator text COLLATE "C" NOT NULL,
    period text COLLATE "C" NOT NULL,
    period_end date NOT NULL,
    occurred_at bigint NOT NULL,
    event_id text COLLATE "C" NOT NULL,
    data text COLLATE "C" NOT NULL,
    numerator bigint,
    denominator bigint,
    value numeric,
    PRIMARY KEY (reporter, indicator, period)
);

-- When each source was last heard of, by shard so that no two workers write one row.
CREATE TABLE sources (
    source text COLLATE "C" NOT NULL,
    domain text COLLATE "C" NOT NULL,
    shard integer NOT NULL,
    last_occurred_at timestamptz NOT NULL,
    last_recorded_at timestamptz NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY (source, domain, shard)
);

-- Records that could not be read, until they have been told on rejected-events.v1.
CREATE TABLE refusals (
    shard integer NOT NULL,
    record_offset bigint NOT NULL,
    source text NOT NULL,
    record text NOT NULL,
    PRIMARY KEY (shard, record_offset)
);

-- The current figure of each unit and indicator, and which version of it has been told.
CREATE TABLE figures (
    area_id text COLLATE "C" NOT NULL,
    indicator text COLLATE "C" NOT NULL,
    basis text COLLATE "C" NOT NULL,
    numerator bigint,
    denominator bigint,
    value numeric,
    period text,
    version bigint NOT NULL DEFAULT 1,
    published_version bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (area_id, indicator, basis)
) WITH (fillfactor = 50);
CREATE INDEX figures_to_tell ON figures (updated_at) WHERE version > published_version;

-- A point a day; days without a change have none and read as the day before.
CREATE TABLE history (
    area_id text COLLATE "C" NOT NULL,
    indicator text COLLATE "C" NOT NULL,
    basis text COLLATE "C" NOT NULL,
    day date NOT NULL,
    numerator bigint,
    denominator bigint,
    value numeric,
    PRIMARY KEY (area_id, indicator, basis, day)
) WITH (fillfactor = 50);

-- migrate: rollback
DROP TABLE history, figures, refusals, sources, reports, touched, counters, subjects, shards;
