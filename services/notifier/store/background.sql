-- name: last_letter
-- The one before to the same audience about the same unit; digests are no letters of this kind, nor
-- is one that tells of units below.
SELECT letter
FROM messages
WHERE audience = $1
  AND area = $2
  AND EXISTS (
      SELECT
      FROM message_alerts JOIN alerts ON alerts.id = message_alerts.alert
      WHERE message_alerts.message = messages.id AND alerts.area = messages.area
  )
ORDER BY written_at DESC
LIMIT 1

-- name: last_shared
-- The one before to who is told of many units, of the system or of units.
SELECT messages.letter
FROM messages CROSS JOIN LATERAL (
    SELECT alerts.kind IN ('source-silent', 'receiver') AS of_system
    FROM message_alerts JOIN alerts ON alerts.id = message_alerts.alert
    WHERE message_alerts.message = messages.id
    LIMIT 1
) AS about
WHERE messages.audience = $1 AND about.of_system = $2
ORDER BY messages.written_at DESC
LIMIT 1

-- name: recovered
SELECT id FROM alerts WHERE id = ANY ($1::uuid[]) AND state = 'resolved' AND reason = 'recovered'
