-- name: page
-- The firing alerts of the next units, in the order of their ids.
SELECT known.*
FROM alerts AS known
WHERE known.state = 'firing'
  AND known.area IN (
      SELECT DISTINCT area FROM alerts WHERE state = 'firing' AND area > $1 ORDER BY area LIMIT $2
  )
ORDER BY known.area, known.id

-- name: of_areas
SELECT * FROM alerts WHERE state = 'firing' AND area = ANY ($1::text[]) ORDER BY area, id

-- name: hushing
-- What fires at units that have units below, and at feeds.
SELECT *
FROM alerts
WHERE state = 'firing' AND (kind = 'source-silent' OR (kind = 'pace' AND area = ANY ($1::text[])))

-- name: told
-- When each alert was told to each audience, as the log of messages holds it.
SELECT message_alerts.alert, messages.audience,
       min(messages.written_at) AS first_at, max(messages.written_at) AS last_at
FROM message_alerts JOIN messages ON messages.id = message_alerts.message
WHERE message_alerts.alert = ANY ($1::uuid[])
GROUP BY 1, 2

-- name: messages
-- The last message about each unit to each audience since a moment.
SELECT area, audience, max(written_at) AS written_at
FROM messages
WHERE area = ANY ($1::text[])
  AND written_at > $2
  AND EXISTS (
      SELECT
      FROM message_alerts JOIN alerts ON alerts.id = message_alerts.alert
      WHERE message_alerts.message = messages.id AND alerts.area = messages.area
  )
GROUP BY 1, 2

-- name: of_letter
-- What an audience was told within some moments, and what of it still fires.
SELECT *
FROM alerts
WHERE state = 'firing'
  AND EXISTS (
      SELECT
      FROM message_alerts JOIN messages ON messages.id = message_alerts.message
      WHERE message_alerts.alert = alerts.id
        AND messages.audience = $1
        AND messages.written_at >= $2
        AND messages.written_at < $3
  )

-- name: shared
-- The last letter to each audience that is told of many units, of the system and of units.
SELECT messages.audience, about.of_system, max(messages.written_at) AS written_at
FROM messages CROSS JOIN LATERAL (
    SELECT alerts.kind IN ('source-silent', 'receiver') AS of_system
    FROM message_alerts JOIN alerts ON alerts.id = message_alerts.alert
    WHERE message_alerts.message = messages.id
    LIMIT 1
) AS about
WHERE messages.audience = ANY ($1::text[]) AND messages.written_at > $2
GROUP BY 1, 2

-- name: raised
-- When each audience was last told of units below that do not answer.
SELECT note AS audience, max(done_at) AS raised_at
FROM works
WHERE work = 'escalated' AND done_at > $1
GROUP BY note
