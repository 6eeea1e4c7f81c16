-- name: note
-- In the order of the key, so that two never wait for each other in a circle.
INSERT INTO received_figures AS known (period, area_id, indicator, first_at, last_at, version)
SELECT period, area_id, indicator, $4, $4, $5
FROM unnest($1::text[], $2::text[], $3::text[]) AS said (period, area_id, indicator)
ORDER BY period COLLATE "C", area_id COLLATE "C", indicator COLLATE "C"
ON CONFLICT (period, area_id, indicator) DO UPDATE SET
    first_at = least(known.first_at, excluded.first_at),
    last_at = greatest(known.last_at, excluded.last_at),
    version = greatest(known.version, excluded.version)

-- name: received
SELECT period, area_id, indicator, first_at, last_at, version
FROM received_figures
WHERE period = ANY ($1::text[])

-- name: take_turn
SELECT pg_try_advisory_xact_lock($1)

-- name: days
SELECT began_on, looked_on FROM reminder_days

-- name: looked
INSERT INTO reminder_days AS known (began_on, looked_on) VALUES ($1, $1)
ON CONFLICT (is_single) DO UPDATE SET looked_on = greatest(known.looked_on, excluded.looked_on)

-- name: periods_awaited
-- Of these periods somebody has been reminded, and has not been told since that all has come.
SELECT DISTINCT period
FROM reminders AS told
WHERE type <> $1
  AND NOT EXISTS (
      SELECT FROM reminders AS come
      WHERE come.period = told.period AND come.area_id = told.area_id AND come.type = $1
  )

-- name: tell
INSERT INTO reminders (id, type, area_id, period, payload)
SELECT id, type, area_id, period, payload
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
    WITH ORDINALITY AS said (id, type, area_id, period, payload, place)
ORDER BY place
ON CONFLICT (id) DO NOTHING

-- name: waiting
SELECT number, type, area_id, payload
FROM reminders
WHERE published_at IS NULL
ORDER BY number
LIMIT $1

-- name: published
UPDATE reminders SET published_at = $2 WHERE number = ANY ($1::bigint[])
