-- name: measured
SELECT max(period) FROM digest_periods WHERE cadence = $1

-- name: add_period
INSERT INTO digest_periods (cadence, period, marked_at, is_told) VALUES ($1, $2, $3, $4)

-- name: mark
INSERT INTO digest_marks (
    cadence, period, area, indicator, basis, version, numerator, denominator, value, updated_at,
    first_on, first_percent
)
SELECT $1, $2, area, indicator, basis, version, numerator, denominator, value, updated_at,
       first_on, first_percent
FROM figures

-- name: forget
DELETE FROM digest_marks
WHERE cadence = $1
  AND period < (
      SELECT min(period)
      FROM (
          SELECT period FROM digest_periods WHERE cadence = $1 ORDER BY period DESC LIMIT 2
      ) AS kept
  )

-- name: unfinished
SELECT period, marked_at FROM digest_periods
WHERE cadence = $1 AND period = $2 AND is_told AND finished_at IS NULL

-- name: finish
UPDATE digest_periods SET finished_at = $3 WHERE cadence = $1 AND period = $2

-- name: before
-- The latest measure before a period.
SELECT period, marked_at FROM digest_periods
WHERE cadence = $1 AND period < $2
ORDER BY period DESC
LIMIT 1

-- name: marks
SELECT area, indicator, basis, version, numerator, denominator, value, updated_at, first_on,
       first_percent
FROM digest_marks
WHERE cadence = $1 AND period = $2 AND area = ANY ($3::text[])

-- name: figures_now
SELECT * FROM figures WHERE area = ANY ($1::text[])

-- name: with_figures
SELECT area FROM unnest($1::text[]) AS asked (area)
WHERE EXISTS (SELECT FROM figures WHERE figures.area = asked.area)
ORDER BY area

-- name: firing
-- What fires in these units, and the silent feeds. A unit is told nothing of stale data.
SELECT * FROM alerts
WHERE state = 'firing'
  AND CASE kind
      WHEN 'source-silent' THEN true
      WHEN 'receiver' THEN false
      ELSE area = ANY ($1::text[]) AND reason <> 'source-silent'
  END

-- name: add_message
INSERT INTO messages (id, audience, area, written_at, letter) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO NOTHING
RETURNING true

-- name: add
INSERT INTO digests (message, cadence, period, form, asked_by) VALUES ($1, $2, $3, $4, $5)

-- name: search
-- A null filter lets everything pass; newest first.
SELECT digests.message AS id, digests.asked_by, messages.letter,
       ARRAY(
           SELECT row_to_json(sent)
           FROM (
               SELECT receiver, state, attempts, finished_at, last_error
               FROM deliveries
               WHERE deliveries.message = digests.message
               ORDER BY receiver
           ) AS sent
       ) AS deliveries
FROM digests JOIN messages ON messages.id = digests.message
WHERE ($1::uuid IS NULL OR digests.message = $1)
  AND ($2::text IS NULL OR digests.cadence = $2)
  AND ($3::text IS NULL OR messages.area = $3)
  AND ($4::text[] IS NULL OR (messages.area = ANY ($4)))
ORDER BY messages.written_at DESC, messages.audience
LIMIT $5
