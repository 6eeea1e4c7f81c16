-- name: begin_pause
-- Only if nobody has paused the source, or ended a pause of it, since the count was begun.
INSERT INTO pauses (source, since, counted, refused)
SELECT $1, $2, $3, $4
WHERE coalesce((SELECT max(id) FROM pauses WHERE source = $1), 0) = $5
ON CONFLICT DO NOTHING
RETURNING id

-- name: latest_pauses
SELECT DISTINCT ON (source) id, source, since, counted, refused, ended_at, ended_by
FROM pauses
ORDER BY source, id DESC

-- name: end_pause
UPDATE pauses SET ended_at = $2, ended_by = $3
WHERE source = $1 AND ended_at IS NULL
RETURNING id, source, since, counted, refused, ended_at, ended_by

-- name: forget_pauses
DELETE FROM pauses WHERE id IN (SELECT id FROM pauses WHERE ended_at < $1 ORDER BY id LIMIT $2)
