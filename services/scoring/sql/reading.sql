-- What the HTTP interface reads. A reported figure without a period has been withdrawn.

-- name: figures_of_area
SELECT indicator, basis, numerator, denominator, value, period, updated_at
FROM figures
WHERE area_id = $1 AND (basis = 'events' OR period IS NOT NULL)

-- name: figures_of_areas
SELECT area_id, indicator, basis, numerator, denominator, value, period, updated_at
FROM figures
WHERE area_id = ANY ($1::text[]) AND indicator = $2
    AND (basis = 'events' OR period IS NOT NULL)

-- name: history
SELECT day, numerator, denominator, value
FROM history
WHERE area_id = $1 AND indicator = $2 AND basis = $3 AND day <= $5
    AND day >= coalesce(
        (SELECT max(day) FROM history
         WHERE area_id = $1 AND indicator = $2 AND basis = $3 AND day <= $4), $4)
ORDER BY day

-- name: trend
-- Where the slope of each unit and indicator begins: the first point on or after a day.
SELECT DISTINCT ON (area_id, indicator)
    area_id, indicator, day, numerator, denominator, value
FROM history
WHERE area_id = ANY ($1::text[]) AND day >= $2 AND ($3::text IS NULL OR indicator = $3)
ORDER BY area_id, indicator, day, basis

-- name: freshness_by_source
SELECT source, max(last_occurred_at) AS last_occurred_at,
    max(last_recorded_at) AS last_recorded_at, sum(events)::bigint AS events
FROM sources
GROUP BY source

-- name: count_untold
SELECT count(*) FROM figures WHERE version > published_version
