-- name: add_message
INSERT INTO messages (id, audience, area, written_at, letter) VALUES ($1, $2, $3, $4, $5)

-- name: add_message_alerts
INSERT INTO message_alerts (message, alert) SELECT $1, unnest($2::uuid[])

-- name: mark_news
-- News are alerts that have not been told before; reminders and escalations are none.
UPDATE messages
SET news_at = (
    SELECT max(figures.updated_at)
    FROM message_alerts
    JOIN alerts ON alerts.id = message_alerts.alert
    JOIN figures USING (area, indicator, basis)
    WHERE message_alerts.message = messages.id
      AND (alerts.told_at IS NULL OR alerts.told_at = messages.written_at)
)
WHERE id = $1

-- name: add_delivery
WITH known AS (
    INSERT INTO receivers (name, kind) VALUES ($4, $3) ON CONFLICT (name) DO NOTHING
)
INSERT INTO deliveries (
    id, message, kind, receiver, state, attempts, created_at, next_attempt_at
)
VALUES ($1, $2, $3, $4, 'waiting', 0, $5, $5)

-- name: claim
-- One delivery a receiver: whoever hangs holds up nobody but itself. Of what one audience is told
-- the oldest goes first, and the others wait for it. Who was served longest ago comes first. The
-- attempt is counted before it is made.
WITH free AS (
    SELECT receivers.name, head.id
    FROM receivers CROSS JOIN LATERAL (
        SELECT oldest.id
        FROM (
            SELECT DISTINCT ON (messages.audience)
                   waiting.id, waiting.next_attempt_at, waiting.number
            FROM deliveries AS waiting JOIN messages ON messages.id = waiting.message
            WHERE waiting.receiver = receivers.name AND waiting.state = 'waiting'
            ORDER BY messages.audience, waiting.created_at, waiting.number
        ) AS oldest
        WHERE oldest.next_attempt_at <= $2
        ORDER BY oldest.next_attempt_at, oldest.number
        LIMIT 1
    ) AS head
    WHERE receivers.kind = $1
      AND receivers.disabled_at IS NULL
      AND (receivers.leased_until IS NULL OR receivers.leased_until <= $2)
      AND (receivers.resting_until IS NULL OR receivers.resting_until <= $2)
      AND receivers.name <> ALL ($3::text[])
      AND ($6::text IS NULL OR receivers.name = $6)
    ORDER BY receivers.served_at NULLS FIRST, receivers.name
    LIMIT $4
    FOR UPDATE OF receivers SKIP LOCKED
), begun AS (
    -- Asked again of the row as it is now: another process may have just finished it.
    UPDATE deliveries AS known
    SET attempts = known.attempts + 1
    FROM free, messages
    WHERE known.id = free.id
      AND known.state = 'waiting'
      AND known.next_attempt_at <= $2
      AND messages.id = known.message
    RETURNING known.id, known.message, known.receiver, known.attempts, known.created_at,
              messages.letter, messages.news_at
)
UPDATE receivers
SET leased_until = $5, served_at = $2
FROM begun
WHERE receivers.name = begun.receiver
RETURNING begun.*, receivers.failures

-- name: delivered
UPDATE deliveries
SET state = 'delivered', finished_at = $2, last_error = NULL, reason = $3
WHERE id = $1 AND state = 'waiting'

-- name: retry
-- Only of the last attempt: who slept past its lease does not decide over who has it now.
UPDATE deliveries
SET next_attempt_at = $2, last_error = $3, reason = $4
WHERE id = $1 AND state = 'waiting' AND attempts = $5

-- name: failed
UPDATE deliveries
SET state = 'failed', finished_at = $2, last_error = $3, reason = $4
WHERE id = $1 AND state = 'waiting' AND attempts = $5

-- name: expire
-- Deliveries of disabled receivers are not tried, so nobody else would end them.
UPDATE deliveries
SET state = 'failed', finished_at = $2, reason = $4,
    last_error = 'the receiver was disabled: ' || receivers.disabled_reason
FROM receivers
WHERE receivers.name = deliveries.receiver
  AND receivers.kind = $1
  AND receivers.disabled_at IS NOT NULL
  AND deliveries.state = 'waiting'
  AND deliveries.created_at <= $3
RETURNING deliveries.id

-- name: waiting
-- What waits for a receiver under an audience, the oldest first.
SELECT deliveries.id
FROM deliveries JOIN messages ON messages.id = deliveries.message
WHERE deliveries.receiver = $1 AND deliveries.state = 'waiting' AND messages.audience = $2
ORDER BY deliveries.created_at, deliveries.id
LIMIT 1

-- name: search
SELECT deliveries.id, deliveries.message, deliveries.receiver, deliveries.state,
       deliveries.attempts, deliveries.created_at, deliveries.next_attempt_at,
       deliveries.finished_at, deliveries.last_error, deliveries.reason, messages.audience, messages.area,
       ARRAY(SELECT alert FROM message_alerts WHERE message = messages.id ORDER BY alert) AS alerts
FROM deliveries JOIN messages ON messages.id = deliveries.message
WHERE ($1::uuid IS NULL
       OR EXISTS (SELECT FROM message_alerts WHERE message = messages.id AND alert = $1))
  AND ($2::text[] IS NULL OR messages.audience = ANY ($2))
  AND ($4::uuid IS NULL OR deliveries.id = $4)
ORDER BY deliveries.created_at DESC, deliveries.id
LIMIT $3
