-- Care of the state. Unqualified names are the service's own schema; scoring_rebuild is the new one.

-- name: read_applied
SELECT schema_name, array_agg(migration_id ORDER BY migration_id) AS names
FROM public._pogo_migration
WHERE schema_name = ANY ($1::text[])
GROUP BY schema_name

-- name: has_history
SELECT to_regclass('public._pogo_migration') IS NOT NULL

-- name: forget_history
DELETE FROM public._pogo_migration WHERE schema_name = $1

-- name: take_turn
SELECT pg_try_advisory_lock($1)

-- name: read_positions
SELECT shard, next_offset FROM shards ORDER BY shard

-- name: read_position
SELECT next_offset FROM shards WHERE shard = $1

-- name: read_rules
SELECT DISTINCT rules FROM shards

-- name: keep_reports
-- What is told of before the topic is read: each of these is in a record that will be read.
CREATE TABLE scoring_rebuild.reports_before AS TABLE reports

-- name: lock_shard
SELECT next_offset, batch, evaluated_on FROM shards WHERE shard = $1 FOR UPDATE

-- name: lock_new_shard
SELECT next_offset FROM scoring_rebuild.shards WHERE shard = $1 FOR UPDATE

-- name: read_counters
SELECT area_id, numerators, denominators FROM counters WHERE shard = $1

-- name: read_new_counters
SELECT area_id, numerators, denominators FROM scoring_rebuild.counters WHERE shard = $1

-- name: copy_layouts
-- How data are coded in what is copied.
INSERT INTO layouts SELECT * FROM scoring_rebuild.layouts ON CONFLICT DO NOTHING

-- name: drop_snapshots
DELETE FROM snapshots WHERE shard = $1

-- name: copy_snapshots
INSERT INTO snapshots SELECT * FROM scoring_rebuild.snapshots WHERE shard = $1

-- name: drop_journal
DELETE FROM journal WHERE shard = $1

-- name: copy_journal
INSERT INTO journal SELECT * FROM scoring_rebuild.journal WHERE shard = $1

-- name: drop_counters
DELETE FROM counters WHERE shard = $1

-- name: copy_counters
INSERT INTO counters SELECT * FROM scoring_rebuild.counters WHERE shard = $1

-- name: drop_sources
DELETE FROM sources s
WHERE s.shard = $1 AND NOT EXISTS (
    SELECT FROM scoring_rebuild.sources n
    WHERE (n.source, n.domain, n.shard) = (s.source, s.domain, s.shard)
)

-- name: copy_sources
-- When a source was last heard of is known only from then: reading its events again is no sign.
INSERT INTO sources AS known (source, domain, shard, last_occurred_at, last_recorded_at, events)
SELECT source, domain, shard, last_occurred_at, last_recorded_at, events
FROM scoring_rebuild.sources
WHERE shard = $1
ON CONFLICT (source, domain, shard) DO UPDATE SET
    last_occurred_at = excluded.last_occurred_at,
    events = excluded.events

-- name: move_shard
-- The position stays, since both stand at it. With another number of the batch, a worker that has
-- the shard in memory loads it again.
UPDATE shards s SET
    batch = greatest(s.batch, n.batch) + 1,
    evaluated_on = n.evaluated_on,
    rules = n.rules
FROM scoring_rebuild.shards n
WHERE s.shard = $1 AND n.shard = s.shard
RETURNING s.batch

-- name: read_counted_areas
-- A unit has a figure as soon as it has been counted in.
SELECT area_id FROM counters WHERE shard = $1
UNION
SELECT area_id FROM figures WHERE basis = 'events'

-- name: drop_stray_reports
-- Reports that stood there before, stand there still, and of which no record tells.
DELETE FROM reports r
USING scoring_rebuild.reports_before b
WHERE (b.reporter, b.indicator, b.period) = (r.reporter, r.indicator, r.period)
    AND ROW (b.*) IS NOT DISTINCT FROM ROW (r.*)
    AND NOT EXISTS (
        SELECT FROM scoring_rebuild.reports n
        WHERE (n.reporter, n.indicator, n.period) = (r.reporter, r.indicator, r.period)
            AND ROW (n.*) IS NOT DISTINCT FROM ROW (r.*)
    )
RETURNING r.reporter, r.indicator, r.period

-- name: copy_reports
INSERT INTO reports AS known SELECT * FROM scoring_rebuild.reports
ON CONFLICT (reporter, indicator, period) DO UPDATE SET
    period_end = excluded.period_end,
    occurred_at = excluded.occurred_at,
    event_id = excluded.event_id,
    data = excluded.data,
    numerator = excluded.numerator,
    denominator = excluded.denominator,
    value = excluded.value
WHERE (excluded.occurred_at, excluded.event_id, excluded.data)
    > (known.occurred_at, known.event_id, known.data)
RETURNING reporter, indicator, period

-- name: read_reported
SELECT reporter, indicator FROM reports
UNION
SELECT reporter, indicator FROM scoring_rebuild.reports_before
ORDER BY 1, 2

-- name: touch
-- The roll-up takes up all bits of the units, and all reports.
INSERT INTO touched (shard, batch, area_ids, masks, reported_area_ids, reported_indicators)
VALUES ($1, $2, $3::text[], array_fill(-1::bigint, ARRAY[cardinality($3::text[])]), $4, $5)

-- name: read_shards
SELECT shard FROM shards ORDER BY shard

-- name: read_counter_areas
SELECT area_id FROM counters WHERE shard = $1 ORDER BY area_id

-- name: read_touched
SELECT area_ids, masks FROM touched

-- name: read_figures
SELECT numerator, denominator FROM figures
WHERE basis = 'events' AND area_id = $1 AND indicator = $2
