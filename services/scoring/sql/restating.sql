-- Restatement: what late events have changed goes into the history of the days that they touch.

-- name: read_start
SELECT day FROM history_start

-- name: write_start
INSERT INTO history_start (day) VALUES ($1) ON CONFLICT DO NOTHING

-- name: take_corrections
-- Everything, or the history of a day could lack what is left over, and have it twice later.
WITH taken AS (
    DELETE FROM corrections RETURNING area_ids, bits, days, numerators, denominators
)
SELECT c.area_id, c.bit, c.day, sum(c.numerator)::bigint AS numerator,
    sum(c.denominator)::bigint AS denominator
FROM taken t
CROSS JOIN unnest(t.area_ids, t.bits, t.days, t.numerators, t.denominators)
    AS c (area_id, bit, day, numerator, denominator)
GROUP BY c.area_id, c.bit, c.day

-- name: read_points
-- The points of each unit and indicator from a day on, and the one that this day reads as.
SELECT h.area_id, h.indicator, h.day, h.numerator, h.denominator, h.restated_at
FROM unnest($1::text[], $2::text[], $3::date[]) AS wanted (area_id, indicator, first)
JOIN history h ON h.area_id = wanted.area_id AND h.indicator = wanted.indicator
    AND h.basis = 'events'
    AND h.day >= coalesce(
        (SELECT max(day) FROM history
         WHERE area_id = wanted.area_id AND indicator = wanted.indicator AND basis = 'events'
            AND day <= wanted.first), wanted.first)
ORDER BY h.area_id, h.indicator, h.day

-- name: write_points
INSERT INTO history AS known
    (area_id, indicator, basis, day, numerator, denominator, restated_at)
SELECT area_id, indicator, 'events', day, numerator, denominator, restated_at
FROM unnest($1::text[], $2::text[], $3::date[], $4::bigint[], $5::bigint[], $6::timestamptz[])
    AS new (area_id, indicator, day, numerator, denominator, restated_at)
ON CONFLICT (area_id, indicator, basis, day) DO UPDATE SET
    numerator = excluded.numerator,
    denominator = excluded.denominator,
    restated_at = excluded.restated_at
