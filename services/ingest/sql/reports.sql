-- Reports of units: every version, its figures, and the events that wait for the broker.

-- name: take_turn
-- Versions of one reporter and period are made one after the other.
SELECT pg_advisory_xact_lock($1, hashtext($2))

-- name: latest
-- A version whose events were refused says nothing, but its number is taken.
SELECT id, version, state, submitted_at, sha256
FROM reports
WHERE reporter = $1 AND period = $2 AND state <> 'refused'
ORDER BY version DESC
LIMIT 1

-- name: last_version
SELECT coalesce(max(version), 0), max(submitted_at) FROM reports
WHERE reporter = $1 AND period = $2

-- name: keep
INSERT INTO reports
    (id, reporter, period, version, state, submitted_at, remarks, sub, role, media_type, sha256, file)
VALUES ($1, $2, $3, $4, 'pending', $5, $6::jsonb, $7, $8, $9, $10, $11)

-- name: keep_figures
INSERT INTO report_figures (report, indicator, numerator, denominator, value, note, change)
SELECT $1, * FROM unnest(
    $2::text[], $3::bigint[], $4::bigint[], $5::numeric[], $6::text[], $7::text[])

-- name: keep_events
INSERT INTO report_events (report, place, event)
SELECT $1, place, event FROM unnest($2::text[]) WITH ORDINALITY AS said (event, place)

-- name: waiting
-- Earliest first; those that are only just being published are left alone.
SELECT id FROM reports WHERE state = 'pending' AND submitted_at < $1 ORDER BY submitted_at, id

-- name: count_waiting
SELECT count(*) FROM reports WHERE state = 'pending'

-- name: events
SELECT event FROM report_events WHERE report = $1 ORDER BY place

-- name: settle
-- Whoever is second finds nothing left to do.
UPDATE reports SET state = $2, detail = $3, accepted_at = $4
WHERE id = $1 AND state = 'pending'
RETURNING id

-- name: forget_events
DELETE FROM report_events WHERE report = $1

-- name: report
SELECT id, reporter, period, version, state, submitted_at, accepted_at, detail,
    remarks::text AS remarks, sub, role, media_type, sha256, octet_length(file) AS file_bytes
FROM reports
WHERE id = $1

-- name: file
SELECT file FROM reports WHERE id = $1

-- name: figures
SELECT indicator, numerator, denominator, value, note, change
FROM report_figures
WHERE report = $1
ORDER BY indicator

-- name: figures_of
-- The figures that hold for each of these periods: those of its latest accepted version.
SELECT held.period, held.version, f.indicator, f.numerator, f.denominator, f.value, f.note, f.change
FROM (
    SELECT DISTINCT ON (period) period, version, id
    FROM reports
    WHERE reporter = $1 AND period = ANY ($2::text[]) AND state = 'accepted'
    ORDER BY period, version DESC
) AS held
JOIN report_figures f ON f.report = held.id

-- name: list
-- The latest first; $3 is the report after which the list goes on.
SELECT r.id, r.reporter, r.period, r.version, r.state, r.submitted_at, r.accepted_at, r.detail,
    r.remarks::text AS remarks, r.sub, r.role, r.media_type, r.sha256,
    octet_length(r.file) AS file_bytes
FROM reports r
WHERE ($1::text[] IS NULL OR r.reporter = ANY ($1))
  AND ($2::text IS NULL OR r.period = $2)
  AND ($3::uuid IS NULL OR (r.submitted_at, r.id) < (
      SELECT before.submitted_at, before.id FROM reports before WHERE before.id = $3))
ORDER BY r.submitted_at DESC, r.id DESC
LIMIT $4
