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
-- Only what is still ours: a lease that ran out may be another sender's by now.
UPDATE receivers
SET leased_until = NULL, failures = $3, resting_until = $4
WHERE name = $1 AND leased_until = $2

-- name: disabled
SELECT kind, count(*) FILTER (WHERE disabled_at IS NOT NULL) AS number
FROM receivers GROUP BY kind

-- name: all
SELECT receivers.name, receivers.kind, receivers.failures, receivers.resting_until,
       receivers.served_at, receivers.disabled_at, receivers.disabled_reason,
       receivers.enabled_at, receivers.enabled_by,
       (SELECT count(*) FROM deliveries
        WHERE deliveries.receiver = receivers.name AND deliveries.state = 'waiting') AS waiting
FROM receivers
ORDER BY receivers.disabled_at IS NULL, receivers.failures DESC, receivers.name
