-- which source systems there are: what each may send, and whom to call
-- depends: 20261122_01_ingest

-- migrate: apply
-- Whether a source may send is for its token to say; this is what operators know of it.
CREATE TABLE sources (
    source text COLLATE "C" PRIMARY KEY,
    domains text[] COLLATE "C" NOT NULL,
    title text NOT NULL,
    contact text NOT NULL,
    added_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text COLLATE "C" NOT NULL
);

-- migrate: rollback
DROP TABLE sources;
