-- figures as scoring told them, alerts, what is to be published, messages and their deliveries
-- depends:

-- migrate: apply
-- The current figure; first_* is the first value ever seen, where the pace begins. is_changed is
-- set with each newer version and cleared when the figure has been judged.
CREATE TABLE figures (
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
    is_changed boolean NOT NULL,
    PRIMARY KEY (area, indicator, basis)
);
CREATE INDEX figures_changed ON figures (area, indicator, basis) WHERE is_changed;

-- When each feed (event domain) was last heard, as far as figures told.
CREATE TABLE feeds (
    feed text COLLATE "C" PRIMARY KEY,
    heard_at timestamptz NOT NULL
);

CREATE TABLE alerts (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('pace', 'source-silent')),
    area text COLLATE "C" NOT NULL,
    indicator text COLLATE "C" NOT NULL,
    basis text COLLATE "C" NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'firing', 'resolved')),
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    reason text NOT NULL,
    version integer NOT NULL,
    value numeric,
    pace numeric,
    target numeric,
    behind numeric,
    gap_people bigint,
    numerator bigint,
    denominator bigint,
    opened_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    fired_at timestamptz,
    resolved_at timestamptz,
    told_at timestamptz
);
-- One alert at a time for a unit and indicator, whoever evaluates.
CREATE UNIQUE INDEX alerts_open ON alerts (area, indicator, basis) WHERE state <> 'resolved';
CREATE INDEX alerts_state ON alerts (state, area);

-- Events for alert-events.v1, written with the transition that they tell of.
CREATE TABLE outbox (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    key text NOT NULL,
    payload text NOT NULL
);

-- What has been said to whom; a letter is kept as it was written.
CREATE TABLE messages (
    id uuid PRIMARY KEY,
    audience text COLLATE "C" NOT NULL,
    area text COLLATE "C" NOT NULL,
    written_at timestamptz NOT NULL,
    letter text NOT NULL
);
CREATE INDEX messages_audience ON messages (audience, written_at);

CREATE TABLE message_alerts (
    message uuid NOT NULL REFERENCES messages ON DELETE CASCADE,
    alert uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
    PRIMARY KEY (message, alert)
);
CREATE INDEX message_alerts_alert ON message_alerts (alert);

-- The log of deliveries: a row stands here before anything is sent, and each attempt is counted
-- before it is made. leased_until: until then a sender is at work on it.
CREATE TABLE deliveries (
    id uuid PRIMARY KEY,
    message uuid NOT NULL REFERENCES messages ON DELETE CASCADE,
    kind text NOT NULL,
    receiver text COLLATE "C" NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts integer NOT NULL,
    created_at timestamptz NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    leased_until timestamptz,
    finished_at timestamptz,
    last_error text
);
CREATE INDEX deliveries_waiting ON deliveries (kind, next_attempt_at) WHERE state = 'waiting';
CREATE INDEX deliveries_message ON deliveries (message);

-- migrate: rollback
DROP TABLE deliveries, message_alerts, messages, outbox, alerts, feeds, figures;
