-- targets of a unit's own are told apart from the province's
-- depends: 20261122_03_rules

-- migrate: apply
ALTER TABLE alerts DROP CONSTRAINT alerts_aim_check;
ALTER TABLE alerts ADD CONSTRAINT alerts_aim_check CHECK (aim IN ('provincial', 'own', 'national'));
-- Of two lines one was the country's, so far.
ALTER TABLE alerts ADD COLUMN other_aim text
    CHECK (other_aim IN ('provincial', 'own', 'national'));
UPDATE alerts SET other_aim = CASE aim WHEN 'national' THEN 'provincial' ELSE 'national' END
WHERE other_target IS NOT NULL;

-- migrate: rollback
ALTER TABLE alerts DROP COLUMN other_aim;
UPDATE alerts SET aim = 'provincial' WHERE aim = 'own';
ALTER TABLE alerts DROP CONSTRAINT alerts_aim_check;
ALTER TABLE alerts ADD CONSTRAINT alerts_aim_check CHECK (aim IN ('provincial', 'national'));
