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

-- name: recovered
SELECT id FROM alerts WHERE id = ANY ($1::uuid[]) AND state = 'resolved' AND reason = 'recovered'
