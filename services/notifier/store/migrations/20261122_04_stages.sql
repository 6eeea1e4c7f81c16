-- acknowledgements, silences, and who did what when
-- depends: 20261122_02_reports

-- migrate: apply
-- What a unit has said of an alert last. broken_at: the promised day passed and it still fired.
CREATE TABLE acknowledgements (
    alert uuid PRIMARY KEY REFERENCES alerts ON DELETE CASCADE,
    note text NOT NULL,
    promised_on date,
    acknowledged_at timestamptz NOT NULL,
    acknowledged_by text NOT NULL,
    broken_at timestamptz
);
CREATE INDEX acknowledgements_promised ON acknowledgements (promised_on) WHERE broken_at IS NULL;

-- A null matcher lets everything pass; area is that unit and all below. ended_at: before its end.
CREATE TABLE silences (
    id uuid PRIMARY KEY,
    area text COLLATE "C",
    indicator text COLLATE "C",
    indicator_set text COLLATE "C",
    severity text,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    comment text NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    ended_at timestamptz,
    CHECK (starts_at < ends_at)
);
CREATE INDEX silences_ends_at ON silences (ends_at);

-- Who did what when; nothing is ever taken out of it.
CREATE TABLE works (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    work text NOT NULL CHECK (
        work IN ('acknowledged', 'promise-broken', 'silenced', 'silence-ended', 'escalated')
    ),
    done_at timestamptz NOT NULL,
    done_by text NOT NULL,
    alert uuid REFERENCES alerts ON DELETE CASCADE,
    silence uuid REFERENCES silences ON DELETE CASCADE,
    note text,
    promised_on date,
    CHECK ((alert IS NULL) <> (silence IS NULL))
);
CREATE INDEX works_alert ON works (alert, number);
CREATE INDEX works_silence ON works (silence, number);

-- The last message about a unit to each audience.
CREATE INDEX messages_area ON messages (area, audience, written_at);

-- migrate: rollback
DROP INDEX messages_area;
DROP TABLE works, silences, acknowledgements;
