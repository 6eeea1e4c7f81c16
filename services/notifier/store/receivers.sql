-- name: meet
INSERT INTO receivers (name, kind) SELECT * FROM unnest($1::text[], $2::text[])
ON CONFLICT (name) DO NOTHING

-- name: enable_changed
-- Another configuration is a new beginning.
UPDATE receivers AS known
SET disabled_at = NULL, disabled_reason = NULL, disabled_fingerprint = NULL, failures = 0,
    resting_until = NULL, enabled_at = $3, enabled_by = 'configuration'
FROM unnest($1::text[], $2::text[]) AS read (name, fingerprint)
WHERE known.name = read.name
  AND known.disabled_at IS NOT NULL
  AND known.disabled_fingerprint IS DISTINCT FROM read.fingerprint
RETURNING known.name

-- name: enable
UPDATE receivers
SET disabled_at = NULL, disabled_reason = NULL, disabled_fingerprint = NULL, failures = 0,
    resting_until = NULL, enabled_at = $2, enabled_by = $3
WHERE name = $1 AND disabled_at IS NOT NULL
RETURNING name

-- name: disable
UPDATE receivers
SET disabled_at = $2, disabled_reason = $3, disabled_fingerprint = $4
WHERE name = $1 AND disabled_at IS NULL

-- name: release
-- Only what is still ours: a lease that ran out may be another sender's by now. Without a moment no
-- attempt was made; without an error it was taken.
UPDATE receivers
SET leased_until = NULL, failures = $3, resting_until = $4,
    failing_since = CASE WHEN $6::timestamptz IS NULL THEN failing_since
                         WHEN $5::text IS NOT NULL THEN coalesce(failing_since, $6) END,
    last_error = CASE WHEN $6 IS NULL THEN last_error ELSE $5 END
WHERE name = $1 AND leased_until = $2

-- name: disabled
SELECT kind, count(*) FILTER (WHERE disabled_at IS NOT NULL) AS number
FROM receivers GROUP BY kind

-- name: troubled
SELECT name, failing_since, disabled_at
FROM receivers
WHERE failing_since IS NOT NULL OR disabled_at IS NOT NULL

-- name: is_disabled
SELECT disabled_at IS NOT NULL FROM receivers WHERE name = $1

-- name: wake
-- The receiver rests no more, and its test does not wait for its next attempt.
WITH woken AS (
    UPDATE receivers SET resting_until = NULL WHERE name = $1
)
UPDATE deliveries
SET next_attempt_at = least(next_attempt_at, $2)
FROM messages
WHERE messages.id = deliveries.message
  AND deliveries.receiver = $1
  AND deliveries.state = 'waiting'
  AND messages.audience = $3

-- name: all
SELECT receivers.name, receivers.kind, receivers.failures, receivers.failing_since,
       receivers.last_error, receivers.resting_until,
       receivers.served_at, receivers.disabled_at, receivers.disabled_reason,
       receivers.enabled_at, receivers.enabled_by,
       (SELECT count(*) FROM deliveries
        WHERE deliveries.receiver = receivers.name AND deliveries.state = 'waiting') AS waiting
FROM receivers
ORDER BY receivers.disabled_at IS NULL, receivers.failing_since IS NULL, receivers.failures DESC,
         receivers.name
