-- name: add
INSERT INTO works (work, done_at, done_by, alert, silence, note, promised_on)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: of_alert
SELECT work, done_at, done_by, note, promised_on FROM works WHERE alert = $1 ORDER BY number

-- name: of_silence
SELECT work, done_at, done_by, note, promised_on FROM works WHERE silence = $1 ORDER BY number

-- name: acknowledge
INSERT INTO acknowledgements (
    alert, note, promised_on, acknowledged_at, acknowledged_by, broken_at
)
VALUES ($1, $2, $3, $4, $5, NULL)
ON CONFLICT (alert) DO UPDATE SET
    note = excluded.note,
    promised_on = excluded.promised_on,
    acknowledged_at = excluded.acknowledged_at,
    acknowledged_by = excluded.acknowledged_by,
    broken_at = NULL

-- name: acknowledgements
SELECT alert, note, promised_on, acknowledged_at, acknowledged_by, broken_at
FROM acknowledgements
WHERE alert = ANY ($1::uuid[])

-- name: overdue
-- The firing alerts whose promised day has passed.
SELECT known.*
FROM acknowledgements JOIN alerts AS known ON known.id = acknowledgements.alert
WHERE acknowledgements.broken_at IS NULL
  AND acknowledgements.promised_on < $1
  AND known.state = 'firing'
ORDER BY known.id

-- name: break_promise
UPDATE acknowledgements SET broken_at = $2 WHERE alert = $1

-- name: add_silence
INSERT INTO silences (
    id, area, indicator, indicator_set, severity, starts_at, ends_at, comment, created_at,
    created_by
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: silences
-- A null filter lets everything pass; a silence of no unit is about all of them.
SELECT *
FROM silences
WHERE ($1::uuid IS NULL OR id = $1)
  AND ($2::text[] IS NULL OR area IS NULL OR area = ANY ($2))
  AND ($3::text IS NULL OR $3 = CASE
        WHEN ended_at IS NOT NULL OR ends_at <= $4 THEN 'ended'
        WHEN starts_at > $4 THEN 'ahead'
        ELSE 'active'
      END)
ORDER BY ends_at DESC, id
LIMIT $5

-- name: end_silence
UPDATE silences SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL AND ends_at > $2 RETURNING true
