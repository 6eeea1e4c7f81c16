-- name: add_message
INSERT INTO messages (id, audience, area, written_at, letter) VALUES ($1, $2, $3, $4, $5)

-- name: add_message_alerts
INSERT INTO message_alerts (message, alert) SELECT $1, unnest($2::uuid[])

-- name: add_delivery
INSERT INTO deliveries (
    id, message, kind, receiver, state, attempts, created_at, next_attempt_at
)
VALUES ($1, $2, $3, $4, 'waiting', 0, $5, $5)

-- name: claim
-- At most one delivery a receiver, and none of a receiver that is being served: whoever hangs
-- holds up nobody but itself. The attempt is counted before it is made.
WITH due AS (
    SELECT DISTINCT ON (receiver) id
    FROM deliveries
    WHERE state = 'waiting'
      AND kind = $1
      AND next_attempt_at <= $2
      AND (leased_until IS NULL OR leased_until <= $2)
      AND receiver <> ALL ($3::text[])
    ORDER BY receiver, next_attempt_at, id
), taken AS (
    SELECT deliveries.id
    FROM deliveries JOIN due USING (id)
    ORDER BY next_attempt_at
    LIMIT $4
    FOR UPDATE OF deliveries SKIP LOCKED
)
UPDATE deliveries AS known
SET attempts = known.attempts + 1, leased_until = $5
FROM taken, messages
WHERE known.id = taken.id
  AND messages.id = known.message
  AND (known.leased_until IS NULL OR known.leased_until <= $2)
RETURNING known.id, known.message, known.receiver, known.attempts, known.created_at,
          messages.letter

-- name: delivered
UPDATE deliveries
SET state = 'delivered', finished_at = $2, leased_until = NULL, last_error = NULL
WHERE id = $1

-- name: retry
UPDATE deliveries
SET next_attempt_at = $2, leased_until = NULL, last_error = $3
WHERE id = $1

-- name: failed
UPDATE deliveries
SET state = 'failed', finished_at = $2, leased_until = NULL, last_error = $3
WHERE id = $1

-- name: waiting
SELECT count(*) FROM deliveries WHERE state = 'waiting'

-- name: search
SELECT deliveries.id, deliveries.message, deliveries.receiver, deliveries.state,
       deliveries.attempts, deliveries.created_at, deliveries.next_attempt_at,
       deliveries.finished_at, deliveries.last_error, messages.audience, messages.area,
       ARRAY(SELECT alert FROM message_alerts WHERE message = messages.id ORDER BY alert) AS alerts
FROM deliveries JOIN messages ON messages.id = deliveries.message
WHERE ($1::uuid IS NULL
       OR EXISTS (SELECT FROM message_alerts WHERE message = messages.id AND alert = $1))
  AND ($2::text[] IS NULL OR messages.audience = ANY ($2))
ORDER BY deliveries.created_at DESC, deliveries.id
LIMIT $3
