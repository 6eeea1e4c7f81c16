-- name: last_letter
-- The one before to the same audience about the same unit; digests are no letters of this kind.
SELECT letter
FROM messages
WHERE audience = $1
  AND area = $2
  AND NOT EXISTS (SELECT FROM digests WHERE digests.message = messages.id)
ORDER BY written_at DESC
LIMIT 1

-- name: recovered
SELECT id FROM alerts WHERE id = ANY ($1::uuid[]) AND state = 'resolved' AND reason = 'recovered'
