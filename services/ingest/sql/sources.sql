-- name: add
INSERT INTO sources (source, domains, title, contact, added_at, changed_at, changed_by)
VALUES ($1, $2, $3, $4, $5, $5, $6)
ON CONFLICT DO NOTHING

-- name: replace
UPDATE sources SET domains = $2, title = $3, contact = $4, changed_at = $5, changed_by = $6
WHERE source = $1

-- name: read
SELECT source, domains, title, contact, added_at, changed_at FROM sources WHERE source = $1

-- name: list
SELECT source, domains, title, contact, added_at, changed_at FROM sources ORDER BY source

-- name: count_open_rejections
SELECT counted_as AS source, count(*) AS open FROM rejections WHERE state = 'open' GROUP BY counted_as
