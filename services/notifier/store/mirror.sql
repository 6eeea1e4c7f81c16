-- name: begin
-- Whoever sets the time has the round.
UPDATE receivers
SET served_at = $2
WHERE name = $1
  AND disabled_at IS NULL
  AND (resting_until IS NULL OR resting_until <= $2)
  AND (served_at IS NULL OR served_at <= $3)
RETURNING failures

-- name: note
UPDATE receivers
SET failures = $2, resting_until = $3, last_error = $4,
    failing_since = CASE WHEN $4::text IS NOT NULL THEN coalesce(failing_since, $5) END
WHERE name = $1

-- name: standing
-- What fires, and what has ended of late; a null list of areas: of feeds and receivers.
SELECT id, kind, area, indicator, basis, severity, reason, value, pace, target, gap_people,
       numerator, denominator, fired_at, resolved_at
FROM alerts
WHERE fired_at IS NOT NULL
  AND (state = 'firing' OR (state = 'resolved' AND resolved_at >= $2))
  AND CASE WHEN $1::text[] IS NULL THEN kind IN ('source-silent', 'receiver')
           ELSE kind NOT IN ('source-silent', 'receiver') AND area = ANY ($1) END
ORDER BY fired_at, id
