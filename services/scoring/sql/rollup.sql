-- The roll-up and the outbox: figures of units from counters and reports, and telling of them.

-- name: is_touched
SELECT EXISTS (SELECT FROM touched) OR EXISTS (SELECT FROM corrections)

-- name: read_all_areas
SELECT area_id FROM counters UNION SELECT area_id FROM figures WHERE basis = 'events'

-- name: touch_units
-- All bits of these units, in a row that no shard has.
INSERT INTO touched (shard, batch, area_ids, masks, reported_area_ids, reported_indicators)
VALUES (-1, 0, $1, array_fill(-1::bigint, ARRAY[cardinality($1::text[])]), '{}', '{}')
ON CONFLICT (shard, batch) DO UPDATE SET area_ids = excluded.area_ids, masks = excluded.masks

-- name: take_touched
DELETE FROM touched RETURNING area_ids, masks, reported_area_ids, reported_indicators

-- name: read_counters
-- Absent counts are 0. Without nulls, arrays of one length are of one length in bytes.
SELECT area_id,
    array_send(array_replace(numerators, NULL, 0)),
    array_send(array_replace(denominators, NULL, 0))
FROM counters
WHERE area_id = ANY ($1::text[])

-- name: read_counted
-- All of it in one row: one text a figure, and the numbers as they are sent.
SELECT coalesce(array_agg(area_id), '{}'),
    coalesce(array_agg(indicator), '{}'),
    array_send(coalesce(array_agg(coalesce(numerator, 0)), '{}')),
    array_send(coalesce(array_agg(coalesce(denominator, 0)), '{}'))
FROM figures
WHERE basis = 'events' AND area_id = ANY ($1::text[])

-- name: read_reports
-- The latest report of each reporter for these indicators.
SELECT DISTINCT ON (reporter, indicator)
    reporter, indicator, period, numerator, denominator, value
FROM reports
WHERE indicator = ANY ($1::text[])
ORDER BY reporter, indicator, period_end DESC, period DESC

-- name: write_figures
-- Figures that are not yet so, their history of the day, and how many they were. A reported figure
-- without a period says that nothing is reported any more; where nothing was, nothing is said.
WITH next AS (
    INSERT INTO rounds AS last (step, round) VALUES ('rolled-up', 1)
    ON CONFLICT (step) DO UPDATE SET round = last.round + 1
    RETURNING round
), written AS (
    INSERT INTO figures AS known
        (area_id, indicator, basis, numerator, denominator, value, period, updated_at, round)
    SELECT area_id, indicator, $1, numerator, denominator, value, period, $8, next.round
    FROM next, unnest(
        $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::numeric[], $7::text[]
    ) AS new (area_id, indicator, numerator, denominator, value, period)
    WHERE $1 = 'events' OR period IS NOT NULL OR EXISTS (
        SELECT FROM figures f
        WHERE (f.area_id, f.indicator, f.basis) = (new.area_id, new.indicator, $1)
    )
    ON CONFLICT (area_id, indicator, basis) DO UPDATE SET
        numerator = excluded.numerator,
        denominator = excluded.denominator,
        value = excluded.value,
        period = excluded.period,
        version = known.version + 1,
        updated_at = excluded.updated_at,
        round = excluded.round
    WHERE (known.numerator, known.denominator, known.value, known.period)
        IS DISTINCT FROM (excluded.numerator, excluded.denominator, excluded.value, excluded.period)
    RETURNING area_id, indicator, basis, numerator, denominator, value
), recorded AS (
    INSERT INTO history AS known (area_id, indicator, basis, day, numerator, denominator, value)
    SELECT area_id, indicator, basis, $9, numerator, denominator, value FROM written
    ON CONFLICT (area_id, indicator, basis, day) DO UPDATE SET
        numerator = excluded.numerator,
        denominator = excluded.denominator,
        value = excluded.value
)
SELECT count(*) FROM written

-- name: read_rounds
-- The last round that the roll-up has made, and the last one that has been told.
SELECT
    coalesce((SELECT round FROM rounds WHERE step = 'rolled-up'), 0) AS rolled_up,
    coalesce((SELECT round FROM rounds WHERE step = 'told'), 0) AS told

-- name: read_figures_to_tell
-- A page of the figures that have changed since a round, behind the last one of the page before.
SELECT area_id, indicator, basis, numerator, denominator, value, period, version, updated_at
FROM figures
WHERE round > $1 AND (area_id, indicator, basis) > ($2, $3, $4)
ORDER BY area_id, indicator, basis
LIMIT $5

-- name: mark_told
INSERT INTO rounds AS last (step, round) VALUES ('told', $1)
ON CONFLICT (step) DO UPDATE SET round = excluded.round WHERE last.round < excluded.round

-- name: read_refusals_to_tell
SELECT shard, record_offset, source, record FROM refusals ORDER BY shard, record_offset LIMIT $1

-- name: forget_refusals
DELETE FROM refusals r
USING unnest($1::integer[], $2::bigint[]) AS told (shard, record_offset)
WHERE r.shard = told.shard AND r.record_offset = told.record_offset

-- name: read_freshness
-- When each domain was last heard of.
SELECT domain, max(last_recorded_at) AS fresh_at FROM sources GROUP BY domain
