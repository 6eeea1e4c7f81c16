-- name: open_of_keys
SELECT known.*
FROM alerts AS known
JOIN unnest($1::text[], $2::text[], $3::text[]) AS asked (area, indicator, basis)
    ON (known.area, known.indicator, known.basis) = (asked.area, asked.indicator, asked.basis)
WHERE known.state <> 'resolved'

-- name: open_of_kind
SELECT * FROM alerts WHERE kind = $1 AND state <> 'resolved'

-- name: pending
SELECT * FROM alerts WHERE state = 'pending'

-- name: save
INSERT INTO alerts (
    id, kind, area, indicator, basis, state, severity, reason, version, value, pace, target,
    behind, gap_people, numerator, denominator, opened_at, changed_at, fired_at, resolved_at,
    due_on, aim, other_aim, other_pace, other_target, target_on, missed_on
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
    $21, $22, $23, $24, $25, $26, $27)
ON CONFLICT (id) DO UPDATE SET
    state = excluded.state,
    severity = excluded.severity,
    reason = excluded.reason,
    version = excluded.version,
    value = excluded.value,
    pace = excluded.pace,
    target = excluded.target,
    behind = excluded.behind,
    gap_people = excluded.gap_people,
    numerator = excluded.numerator,
    denominator = excluded.denominator,
    changed_at = excluded.changed_at,
    fired_at = excluded.fired_at,
    resolved_at = excluded.resolved_at,
    due_on = excluded.due_on,
    aim = excluded.aim,
    other_aim = excluded.other_aim,
    other_pace = excluded.other_pace,
    other_target = excluded.other_target,
    target_on = excluded.target_on,
    missed_on = excluded.missed_on

-- name: drop
DELETE FROM alerts WHERE id = ANY ($1::uuid[])

-- name: told
UPDATE alerts SET told_at = $2 WHERE id = ANY ($1::uuid[])

-- name: search
-- A null filter lets everything pass. Worst first: firing, then pending, then resolved.
SELECT *, count(*) OVER () AS total
FROM alerts
WHERE ($1::text IS NULL OR state = $1)
  AND ($2::text IS NULL OR area = $2)
  AND ($3::text IS NULL OR indicator = $3)
  AND ($4::text IS NULL OR severity = $4)
  AND ($5::text[] IS NULL OR (area = ANY ($5) AND kind NOT IN ('source-silent', 'receiver')))
  AND ($6::uuid IS NULL OR id = $6)
ORDER BY array_position(ARRAY['firing', 'pending', 'resolved'], state),
         array_position(ARRAY['critical', 'warning', 'info'], severity),
         behind DESC NULLS LAST, area, indicator, opened_at
LIMIT $7
