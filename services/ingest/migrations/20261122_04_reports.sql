-- what units have reported: every version of every report, and the file it came in
-- depends: 20261122_01_ingest

-- migrate: apply
-- `reporter` is the subject of the events: area:<area id> or agency:<code>. A report is `pending`
-- from the moment it is kept until the broker has acknowledged its events, and `accepted` from then
-- on; `refused` is one whose events the contract of a later build no longer takes. A later version
-- of the same reporter and period has a later `submitted_at`, so its events win. `remarks` are the
-- notes on indicators that were not reported, by indicator.
CREATE TABLE reports (
    id uuid PRIMARY KEY,
    reporter text COLLATE "C" NOT NULL,
    period text COLLATE "C" NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    state text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'accepted', 'refused')),
    submitted_at timestamptz NOT NULL,
    accepted_at timestamptz CHECK ((accepted_at IS NOT NULL) = (state = 'accepted')),
    detail text NOT NULL DEFAULT '',
    remarks jsonb NOT NULL DEFAULT '{}',
    sub text NOT NULL,
    role text NOT NULL,
    media_type text NOT NULL,
    sha256 bytea NOT NULL,
    file bytea NOT NULL,
    UNIQUE (reporter, period, version)
);
CREATE INDEX reports_pending ON reports (submitted_at) WHERE state = 'pending';
CREATE INDEX reports_by_time ON reports (submitted_at DESC, id DESC);

-- All figures that hold with a version. `change` tells them from those of the version before:
-- `kept` is one that this version did not speak of, so it has no event of its own.
CREATE TABLE report_figures (
    report uuid NOT NULL REFERENCES reports ON DELETE CASCADE,
    indicator text COLLATE "C" NOT NULL,
    numerator bigint,
    denominator bigint,
    value numeric,
    note text NOT NULL,
    change text COLLATE "C" NOT NULL CHECK (change IN ('new', 'changed', 'unchanged', 'kept')),
    PRIMARY KEY (report, indicator),
    CHECK (
        (numerator IS NOT NULL AND denominator IS NOT NULL AND value IS NULL)
        OR (numerator IS NULL AND denominator IS NULL AND value IS NOT NULL)
    )
);

-- The outbox: events of pending reports, gone once the broker has acknowledged them.
CREATE TABLE report_events (
    report uuid NOT NULL REFERENCES reports ON DELETE CASCADE,
    place integer NOT NULL,
    event text NOT NULL,
    PRIMARY KEY (report, place)
);

-- migrate: rollback
DROP TABLE report_events, report_figures, reports;
