-- a shard's state in columns: snapshots and journals in place of a row a subject
-- depends: 20261122_01_state

-- migrate: apply
-- Subjects are now kept by shard: what was known of them, and what was counted under it, goes.
-- The topic is read again from its beginning, which rebuilds both. Registers make that harmless for
-- all that stays: reports are the same whichever time they are read, and figures and their history
-- follow the counters. Until the topic has been read again, figures say less than they did.
DROP TABLE subjects, counters, touched;

ALTER TABLE shards
    -- Fingerprint of catalogue and units that the shard has last been evaluated under.
    ADD COLUMN rules text;
UPDATE shards SET next_offset = 0, batch = 0, evaluated_on = NULL;
-- Counts the events of each source, so it must not count them a second time.
DELETE FROM sources;

-- The registers and standings of a shard's subjects, packed in columns, in parts. Payloads are
-- compressed by who writes them, if at all.
CREATE TABLE snapshots (
    shard integer NOT NULL,
    part integer NOT NULL,
    payload bytea STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (shard, part)
);

-- What each batch since the snapshot has changed, in the same form.
CREATE TABLE journal (
    shard integer NOT NULL,
    batch bigint NOT NULL,
    payload bytea STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (shard, batch)
);

-- How data of events are coded in payloads; each of these names its layout by the fingerprint.
CREATE TABLE layouts (
    fingerprint text COLLATE "C" PRIMARY KEY,
    layout bytea NOT NULL
);

-- One writer a row: the worker that holds the shard. Element bit + 1 is the count of the indicator
-- with that bit in the catalogue; an absent one is 0. Half of a page stays free, so that a new
-- version of a row finds room beside the old one and no index is written.
CREATE TABLE counters (
    area_id text COLLATE "C" NOT NULL,
    shard integer NOT NULL,
    numerators bigint[] NOT NULL,
    denominators bigint[] NOT NULL,
    PRIMARY KEY (area_id, shard)
) WITH (fillfactor = 50);

-- What a batch has touched, until the roll-up has taken it up. Each unit has a mask of the bits
-- touched in it.
CREATE TABLE touched (
    shard integer NOT NULL,
    batch bigint NOT NULL,
    area_ids text[] NOT NULL,
    masks bigint[] NOT NULL,
    reported_area_ids text[] NOT NULL,
    reported_indicators text[] NOT NULL,
    PRIMARY KEY (shard, batch)
);

-- A figure is to be told while the round of the roll-up that changed it last is above the one up to
-- which all has been told. An index of those would be written with every change; a look through the
-- table once a telling costs less.
ALTER TABLE figures ADD COLUMN round bigint NOT NULL DEFAULT 0;
UPDATE figures SET round = 1 WHERE version > published_version;
DROP INDEX figures_to_tell;
ALTER TABLE figures DROP COLUMN published_version;

-- The last round that the roll-up has made, and the last one that has been told. Two rows, so that
-- the roll-up and the outbox do not wait for each other.
CREATE TABLE rounds (
    step text COLLATE "C" PRIMARY KEY,
    round bigint NOT NULL
);
INSERT INTO rounds (step, round) VALUES ('rolled-up', 1), ('told', 0);

-- migrate: rollback
ALTER TABLE figures ADD COLUMN published_version bigint NOT NULL DEFAULT 0;
UPDATE figures SET published_version = version
FROM rounds
WHERE step = 'told' AND figures.round <= rounds.round;
ALTER TABLE figures DROP COLUMN round;
CREATE INDEX figures_to_tell ON figures (updated_at) WHERE version > published_version;

DROP TABLE rounds, touched, counters, layouts, journal, snapshots;
ALTER TABLE shards DROP COLUMN rules;
UPDATE shards SET next_offset = 0, batch = 0, evaluated_on = NULL;
DELETE FROM sources;

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

CREATE TABLE counters (
    area_id text COLLATE "C" NOT NULL,
    indicator text COLLATE "C" NOT NULL,
    shard integer NOT NULL,
    numerator bigint NOT NULL,
    denominator bigint NOT NULL,
    PRIMARY KEY (area_id, indicator, shard)
) WITH (fillfactor = 50);

CREATE TABLE touched (
    shard integer NOT NULL,
    batch bigint NOT NULL,
    area_ids text[] NOT NULL,
    indicators text[] NOT NULL,
    reported_area_ids text[] NOT NULL,
    reported_indicators text[] NOT NULL,
    PRIMARY KEY (shard, batch)
);
