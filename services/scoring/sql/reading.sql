-- What the HTTP interface reads. A reported figure without a period has been withdrawn.

-- name: units_of_figures
SELECT DISTINCT area_id FROM figures ORDER BY area_id

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
-- The points of some units between two days, and of each the one that the first day reads as.
SELECT h.area_id, h.day, h.numerator, h.denominator, h.value, h.restated_at
FROM unnest($1::text[]) AS part (area_id)
JOIN history h ON h.area_id = part.area_id AND h.indicator = $2 AND h.basis = $3
    AND h.day <= $5
    AND h.day >= coalesce(
        (SELECT max(day) FROM history
         WHERE area_id = part.area_id AND indicator = $2 AND basis = $3 AND day <= $4), $4)
ORDER BY h.area_id, h.day

-- name: trend
-- Where the slope of each figure begins: as it stood on a day, or else its first point after it that
-- has a share; where there was nobody to count, there is none.
SELECT f.area_id, f.indicator, f.basis, greatest(start.day, $2) AS day,
    start.numerator, start.denominator, start.value
FROM figures f
CROSS JOIN LATERAL (
    SELECT * FROM (
        SELECT day, numerator, denominator, value FROM history h
        WHERE (h.area_id, h.indicator, h.basis) = (f.area_id, f.indicator, f.basis) AND h.day <= $2
        ORDER BY h.day DESC LIMIT 1
    ) AS stood
    WHERE denominator > 0 OR value IS NOT NULL
    UNION ALL
    (SELECT day, numerator, denominator, value FROM history h
     WHERE (h.area_id, h.indicator, h.basis) = (f.area_id, f.indicator, f.basis) AND h.day > $2
        AND (h.denominator > 0 OR h.value IS NOT NULL)
     ORDER BY h.day LIMIT 1)
    ORDER BY day LIMIT 1
) AS start
WHERE f.area_id = ANY ($1::text[]) AND ($3::text IS NULL OR f.indicator = $3)

-- name: freshness_by_source
SELECT source, max(last_occurred_at) AS last_occurred_at,
    max(last_recorded_at) AS last_recorded_at, sum(events)::bigint AS events
FROM sources
GROUP BY source

-- name: count_untold
SELECT count(*) FROM figures
WHERE round > coalesce((SELECT round FROM rounds WHERE step = 'told'), 0)

-- name: lose_patience
-- End this session when it says nothing for so long.
SELECT set_config('idle_session_timeout', $1, false),
    set_config('idle_in_transaction_session_timeout', $1, false)
