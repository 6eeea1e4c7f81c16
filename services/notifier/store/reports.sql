-- name: advance
-- True when this is newer than all that has been told of the unit and period.
INSERT INTO reports AS known (area, period, told_at) VALUES ($1, $2, $3)
ON CONFLICT (area, period) DO UPDATE SET told_at = excluded.told_at
WHERE known.told_at < excluded.told_at
RETURNING true
