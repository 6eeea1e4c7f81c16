-- alerts about reports of units that are due or missing
-- depends: 20261122_01_notifier

-- migrate: apply
ALTER TABLE alerts DROP CONSTRAINT alerts_kind_check;
ALTER TABLE alerts ADD CONSTRAINT alerts_kind_check
    CHECK (kind IN ('pace', 'source-silent', 'report'));
-- Until when a report is in time.
ALTER TABLE alerts ADD COLUMN due_on date;

-- The latest that was told of each unit's report for a period: older events change nothing.
CREATE TABLE reports (
    area text COLLATE "C" NOT NULL,
    period text COLLATE "C" NOT NULL,
    told_at timestamptz NOT NULL,
    PRIMARY KEY (area, period)
);

-- migrate: rollback
DROP TABLE reports;
DELETE FROM alerts WHERE kind = 'report';
ALTER TABLE alerts DROP COLUMN due_on;
ALTER TABLE alerts DROP CONSTRAINT alerts_kind_check;
ALTER TABLE alerts ADD CONSTRAINT alerts_kind_check CHECK (kind IN ('pace', 'source-silent'));
