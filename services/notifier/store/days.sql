-- name: upsert
INSERT INTO figure_days AS known (area, indicator, basis, on_day, version, value)
SELECT area, indicator, basis, on_day, version, value
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::date[], $5::bigint[], $6::numeric[]
) AS told (area, indicator, basis, on_day, version, value)
ORDER BY area COLLATE "C", indicator COLLATE "C", basis COLLATE "C", on_day
ON CONFLICT (area, indicator, basis, on_day) DO UPDATE SET
    version = excluded.version,
    value = excluded.value
WHERE known.version < excluded.version

-- name: forget
-- Measured from the newest day of each figure and not from the clock: a replay ends as it began.
WITH told AS (
    SELECT DISTINCT area, indicator, basis
    FROM unnest($1::text[], $2::text[], $3::text[]) AS told (area, indicator, basis)
), kept AS (
    SELECT told.area, told.indicator, told.basis, first.on_day
    FROM told
    CROSS JOIN LATERAL (
        SELECT max(on_day) - $4::integer AS begins
        FROM figure_days AS day
        WHERE (day.area, day.indicator, day.basis) = (told.area, told.indicator, told.basis)
    ) AS newest
    CROSS JOIN LATERAL (
        SELECT max(on_day) AS on_day
        FROM figure_days AS day
        WHERE (day.area, day.indicator, day.basis) = (told.area, told.indicator, told.basis)
          AND day.on_day <= newest.begins
    ) AS first
)
DELETE FROM figure_days AS day
USING kept
WHERE (day.area, day.indicator, day.basis) = (kept.area, kept.indicator, kept.basis)
  AND day.on_day < kept.on_day

-- name: of_keys
SELECT day.area, day.indicator, day.basis, day.on_day, day.value
FROM figure_days AS day
JOIN unnest($1::text[], $2::text[], $3::text[]) AS asked (area, indicator, basis)
    ON (day.area, day.indicator, day.basis) = (asked.area, asked.indicator, asked.basis)
ORDER BY day.area, day.indicator, day.basis, day.on_day
