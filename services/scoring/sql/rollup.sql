-- The roll-up: figures of units from counters and reports, level by level.

-- name: is_touched
SELECT EXISTS (SELECT FROM touched)

-- name: take_touched
DELETE FROM touched RETURNING area_ids, indicators, reported_area_ids, reported_indicators

-- name: count
-- Own counters of each wanted unit and indicator, plus the figures of the units directly below.
WITH wanted AS (
    SELECT * FROM unnest($1::text[], $2::text[]) AS w (area_id, indicator)
), below AS (
    SELECT * FROM unnest($3::text[], $4::text[]) AS b (area_id, child_id)
), parts AS (
    SELECT w.area_id, w.indicator, c.numerator, c.denominator
    FROM wanted w JOIN counters c USING (area_id, indicator)
    UNION ALL
    SELECT w.area_id, w.indicator, f.numerator, f.denominator
    FROM wanted w
    JOIN below b USING (area_id)
    JOIN figures f ON f.area_id = b.child_id AND f.indicator = w.indicator AND f.basis = 'events'
)
SELECT area_id, indicator, sum(numerator)::bigint AS numerator, sum(denominator)::bigint AS denominator
FROM parts
GROUP BY area_id, indicator
ORDER BY area_id, indicator

-- name: read_reports
-- The latest report of each reporter for these indicators.
SELECT DISTINCT ON (reporter, indicator)
    reporter, indicator, period, numerator, denominator, value
FROM reports
WHERE indicator = ANY ($1::text[])
ORDER BY reporter, indicator, period_end DESC, period DESC

-- name: write_figures
INSERT INTO figures AS known
    (area_id, indicator, basis, numerator, denominator, value, period, updated_at)
SELECT new.*, $8
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::numeric[], $7::text[])
    AS new (area_id, indicator, basis, numerator, denominator, value, period)
ON CONFLICT (area_id, indicator, basis) DO UPDATE SET
    numerator = excluded.numerator,
    denominator = excluded.denominator,
    value = excluded.value,
    period = excluded.period,
    version = known.version + 1,
    updated_at = excluded.updated_at
WHERE (known.numerator, known.denominator, known.value, known.period)
    IS DISTINCT FROM (excluded.numerator, excluded.denominator, excluded.value, excluded.period)
RETURNING area_id, indicator, basis

-- name: withdraw_figures
-- A reported figure without a period says that nothing is reported any more.
UPDATE figures AS known SET
    numerator = NULL,
    denominator = NULL,
    value = NULL,
    period = NULL,
    version = known.version + 1,
    updated_at = $3
FROM unnest($1::text[], $2::text[]) AS silent (area_id, indicator)
WHERE known.area_id = silent.area_id AND known.indicator = silent.indicator
    AND known.basis = 'reported' AND known.period IS NOT NULL
RETURNING known.area_id, known.indicator, known.basis

-- name: write_history
INSERT INTO history AS known (area_id, indicator, basis, day, numerator, denominator, value)
SELECT f.area_id, f.indicator, f.basis, $4, f.numerator, f.denominator, f.value
FROM unnest($1::text[], $2::text[], $3::text[]) AS changed (area_id, indicator, basis)
JOIN figures f USING (area_id, indicator, basis)
ON CONFLICT (area_id, indicator, basis, day) DO UPDATE SET
    numerator = excluded.numerator,
    denominator = excluded.denominator,
    value = excluded.value

-- name: read_figures_to_tell
SELECT area_id, indicator, basis, numerator, denominator, value, period, version, updated_at
FROM figures
WHERE version > published_version
ORDER BY updated_at
LIMIT $1

-- name: mark_figures_told
UPDATE figures f SET published_version = told.version
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
    AS told (area_id, indicator, basis, version)
WHERE f.area_id = told.area_id AND f.indicator = told.indicator AND f.basis = told.basis
    AND f.published_version < told.version

-- name: read_refusals_to_tell
SELECT shard, record_offset, source, record FROM refusals ORDER BY shard, record_offset LIMIT $1

-- name: forget_refusals
DELETE FROM refusals r
USING unnest($1::integer[], $2::bigint[]) AS told (shard, record_offset)
WHERE r.shard = told.shard AND r.record_offset = told.record_offset

-- name: read_freshness
-- When each domain was last heard of.
SELECT domain, max(last_recorded_at) AS fresh_at FROM sources GROUP BY domain
