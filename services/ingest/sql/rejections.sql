-- name: insert
INSERT INTO rejections (
    id, rejected_at, stage, reason, first_reason, detail, caller, caller_sources, caller_domains,
    source, event_id, event_type, via, connector, origin, original_bytes, sealed
) VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::jsonb, $15, $16)
ON CONFLICT DO NOTHING

-- name: list
SELECT
    id, rejected_at, stage, state, reason, detail, first_reason, caller, source, event_id,
    event_type, origin::text AS origin, original_bytes, attempts
FROM rejections
WHERE ($1::text IS NULL OR CASE WHEN $1 = 'other' THEN counted_as ELSE source END = $1)
    AND ($2::text IS NULL OR reason = $2)
    AND ($3::text IS NULL OR state = $3)
    AND ($4::text IS NULL OR event_type = $4)
    AND ($5::text IS NULL OR stage = $5)
    AND ($6::text IS NULL OR via = $6)
    AND ($7::text IS NULL OR connector = $7)
    AND ($8::timestamptz IS NULL OR rejected_at >= $8)
    AND ($9::timestamptz IS NULL OR rejected_at < $9)
    AND ($10::text IS NULL OR event_id = $10)
    AND ($11::text[] IS NULL OR counted_as = ANY ($11)
        OR (caller_sources <@ $11 AND caller_sources <> '{}'))
    AND ($12::timestamptz IS NULL OR (rejected_at, id) < ($12, $13::uuid))
ORDER BY rejected_at DESC, id DESC
LIMIT $14

-- name: counts
SELECT counted_as, reason, state, count(*) AS count
FROM rejections
WHERE ($1::text IS NULL OR CASE WHEN $1 = 'other' THEN counted_as ELSE source END = $1)
    AND ($2::text IS NULL OR reason = $2)
    AND ($3::text IS NULL OR state = $3)
    AND ($4::text IS NULL OR event_type = $4)
    AND ($5::text IS NULL OR stage = $5)
    AND ($6::text IS NULL OR via = $6)
    AND ($7::text IS NULL OR connector = $7)
    AND ($8::timestamptz IS NULL OR rejected_at >= $8)
    AND ($9::timestamptz IS NULL OR rejected_at < $9)
    AND ($10::text IS NULL OR event_id = $10)
    AND ($11::text[] IS NULL OR counted_as = ANY ($11)
        OR (caller_sources <@ $11 AND caller_sources <> '{}'))
GROUP BY counted_as, reason, state
ORDER BY count DESC, counted_as, reason, state

-- name: open_counts
SELECT counted_as, reason, count(*) AS count FROM rejections
WHERE state = 'open'
GROUP BY counted_as, reason

-- name: read
SELECT
    id, rejected_at, stage, state, reason, detail, first_reason, caller, caller_sources,
    caller_domains, source, event_id, event_type, connector, origin::text AS origin,
    original_bytes, attempts, sealed
FROM rejections
WHERE id = ANY ($1::uuid[])

-- name: works
SELECT done_at, done_by, outcome, reason, note FROM rejection_works
WHERE rejection = $1
ORDER BY done_at

-- name: accept
UPDATE rejections SET state = 'accepted', attempts = attempts + 1
WHERE id = $1 AND state <> 'accepted'

-- name: refuse
UPDATE rejections SET reason = $2, detail = $3, attempts = attempts + 1
WHERE id = $1 AND state <> 'accepted'

-- name: dismiss
UPDATE rejections SET state = 'dismissed' WHERE id = $1 AND state = 'open'

-- name: note_work
INSERT INTO rejection_works (rejection, done_at, done_by, outcome, reason, note)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: forget
DELETE FROM rejections WHERE id IN (
    SELECT id FROM rejections WHERE rejected_at < $1
    ORDER BY rejected_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
)
