-- What the HTTP interface reads.

-- name: figures_of_area
SELECT indicator, basis, numerator, denominator, value, period, updated_at
FROM figures
WHERE area_id = $1

-- name: figures_of_areas
SELECT area_id, indicator, basis, numerator, denominator, value, period, updated_at
FROM figures
WHERE area_id = ANY ($1::text[]) AND indicator = $2

-- name: history
SELECT day, numerator, denominator, value
FROM history
WHERE area_id = $1 AND indicator = $2 AND basis = $3 AND day <= $5
    AND day >= coalesce(
        (SELECT max(day) FROM history
         WHERE area_id = $1 AND indicator = $2 AND basis = $3 AND day <= $4), $4)
ORDER BY day

-- name: trend
-- The first point of each indicator of a unit on or after a day: where the slope begins.
SELECT DISTINCT ON (indicator, basis) indicator, basis, day, value
FROM history
WHERE area_id = $1 AND day >= $2
ORDER BY indicator, basis, day

-- name: freshness_by_source
SELECT source, max(last_occurred_at) AS last_occurred_at,
    max(last_recorded_at) AS last_recorded_at, sum(events)::bigint AS events
FROM sources
GROUP BY source
