-- refused events that can be worked on, and sources that are paused
-- depends: 20261122_01_ingest

-- migrate: apply
-- `reason` and `detail` are those of the last attempt. `counted_as` is the source where the caller
-- might use it: what else a sender writes there has no bound, so it counts as other.
CREATE TABLE rejections (
    id uuid PRIMARY KEY,
    rejected_at timestamptz NOT NULL,
    stage text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'accepted', 'dismissed')),
    reason text COLLATE "C" NOT NULL,
    detail text NOT NULL,
    first_reason text COLLATE "C" NOT NULL,
    caller text COLLATE "C",
    caller_sources text[] COLLATE "C" NOT NULL,
    caller_domains text[] COLLATE "C" NOT NULL,
    source text COLLATE "C",
    event_id text COLLATE "C",
    event_type text COLLATE "C",
    counted_as text COLLATE "C" NOT NULL GENERATED ALWAYS AS (
        CASE WHEN source = ANY (caller_sources) THEN source ELSE 'other' END
    ) STORED,
    via text COLLATE "C" NOT NULL,
    connector text COLLATE "C",
    origin jsonb NOT NULL,
    original_bytes bigint NOT NULL,
    sealed text COLLATE "C" NOT NULL,
    attempts integer NOT NULL DEFAULT 0
);
-- Ciphertext does not compress.
ALTER TABLE rejections ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX rejections_newest ON rejections (rejected_at, id);
CREATE INDEX rejections_counts ON rejections (state, counted_as, reason);
CREATE INDEX rejections_event ON rejections (event_id) WHERE event_id IS NOT NULL;

-- Who did what with a rejection, and when.
CREATE TABLE rejection_works (
    rejection uuid NOT NULL REFERENCES rejections ON DELETE CASCADE,
    done_at timestamptz NOT NULL,
    done_by text COLLATE "C" NOT NULL,
    outcome text COLLATE "C" NOT NULL CHECK (outcome IN ('accepted', 'refused', 'dismissed')),
    reason text COLLATE "C",
    note text NOT NULL
);
CREATE INDEX rejection_works_rejection ON rejection_works (rejection, done_at);

-- The latest pause of a source decides whether it is paused: until it has ended.
CREATE TABLE pauses (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text COLLATE "C" NOT NULL,
    since timestamptz NOT NULL,
    counted bigint NOT NULL,
    refused bigint NOT NULL,
    ended_at timestamptz,
    ended_by text COLLATE "C"
);
CREATE UNIQUE INDEX pauses_open ON pauses (source) WHERE ended_at IS NULL;
CREATE INDEX pauses_latest ON pauses (source, id);

-- migrate: rollback
DROP TABLE pauses;
DROP TABLE rejection_works;
DROP TABLE rejections;
