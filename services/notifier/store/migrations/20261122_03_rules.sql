-- two lines of targets, days of targets, and the past of figures
-- depends: 20261122_02_reports

-- migrate: apply
-- Which line the unit is further behind; other_* tell of the other one, where there are two.
ALTER TABLE alerts ADD COLUMN aim text NOT NULL DEFAULT 'provincial'
    CHECK (aim IN ('provincial', 'national'));
ALTER TABLE alerts ADD COLUMN other_pace numeric;
ALTER TABLE alerts ADD COLUMN other_target numeric;
ALTER TABLE alerts ADD COLUMN target_on date;
ALTER TABLE alerts ADD COLUMN missed_on date;

-- Two points of each figure's past, and the denominator that the next one is compared with.
CREATE TABLE courses (
    area text COLLATE "C" NOT NULL,
    indicator text COLLATE "C" NOT NULL,
    basis text COLLATE "C" NOT NULL,
    then_on date,
    then_percent numeric,
    since_on date,
    since_percent numeric,
    denominator bigint,
    moved_at timestamptz,
    PRIMARY KEY (area, indicator, basis)
);

-- migrate: rollback
DROP TABLE courses;
UPDATE alerts SET reason = 'behind-pace'
WHERE reason IN ('target-missed', 'falling', 'not-told', 'denominator-changed');
ALTER TABLE alerts DROP COLUMN aim;
ALTER TABLE alerts DROP COLUMN other_pace;
ALTER TABLE alerts DROP COLUMN other_target;
ALTER TABLE alerts DROP COLUMN target_on;
ALTER TABLE alerts DROP COLUMN missed_on;
