-- The shard transaction. $1 is the shard everywhere.

-- name: create_shard
INSERT INTO shards (shard) VALUES ($1) ON CONFLICT DO NOTHING

-- name: lock_shard
-- Who says nothing for $2 in this transaction loses it, and with it the row: a process that has been
-- stopped would hold it as long as its connection lives.
SELECT next_offset, batch, set_config('idle_in_transaction_session_timeout', $2, true)
FROM shards WHERE shard = $1 FOR UPDATE

-- name: read_shard
SELECT next_offset, batch, evaluated_on, rules FROM shards WHERE shard = $1

-- name: read_snapshot
SELECT payload FROM snapshots WHERE shard = $1 ORDER BY part

-- name: read_journal
SELECT payload FROM journal WHERE shard = $1 ORDER BY batch

-- name: read_counters
SELECT area_id, numerators, denominators FROM counters WHERE shard = $1

-- name: read_layouts
SELECT fingerprint, layout FROM layouts

-- name: write_layout
INSERT INTO layouts (fingerprint, layout) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- name: write_journal
INSERT INTO journal (shard, batch, payload) VALUES ($1, $2, $3)

-- name: forget_journal
DELETE FROM journal WHERE shard = $1

-- name: forget_snapshot
DELETE FROM snapshots WHERE shard = $1

-- name: write_snapshot
INSERT INTO snapshots (shard, part, payload) VALUES ($1, $2, $3)

-- name: write_counters
-- Arrays come as texts: there are no arrays of arrays of different lengths to unnest.
INSERT INTO counters (area_id, shard, numerators, denominators)
SELECT new.area_id, $1, new.numerators::bigint[], new.denominators::bigint[]
FROM unnest($2::text[], $3::text[], $4::text[]) AS new (area_id, numerators, denominators)
ON CONFLICT (area_id, shard) DO UPDATE SET
    numerators = excluded.numerators,
    denominators = excluded.denominators

-- name: forget_counters
DELETE FROM counters WHERE shard = $1

-- name: write_reports
INSERT INTO reports AS known
    (reporter, indicator, period, period_end, occurred_at, event_id, data,
     numerator, denominator, value)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::date[], $5::bigint[], $6::text[], $7::text[],
    $8::bigint[], $9::bigint[], $10::numeric[])
ON CONFLICT (reporter, indicator, period) DO UPDATE SET
    occurred_at = excluded.occurred_at,
    event_id = excluded.event_id,
    data = excluded.data,
    numerator = excluded.numerator,
    denominator = excluded.denominator,
    value = excluded.value
WHERE (excluded.occurred_at, excluded.event_id, excluded.data)
    > (known.occurred_at, known.event_id, known.data)

-- name: write_sources
INSERT INTO sources AS known (source, domain, shard, last_occurred_at, last_recorded_at, events)
SELECT new.source, new.domain, $1, new.last_occurred_at, $5, new.events
FROM unnest($2::text[], $3::text[], $4::timestamptz[], $6::bigint[])
    AS new (source, domain, last_occurred_at, events)
ON CONFLICT (source, domain, shard) DO UPDATE SET
    last_occurred_at = greatest(known.last_occurred_at, excluded.last_occurred_at),
    last_recorded_at = excluded.last_recorded_at,
    events = known.events + excluded.events

-- name: write_refusals
INSERT INTO refusals (shard, record_offset, source, record)
SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[])
ON CONFLICT DO NOTHING

-- name: write_touched
INSERT INTO touched (shard, batch, area_ids, masks, reported_area_ids, reported_indicators)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: read_history_start
SELECT day FROM history_start

-- name: restart_history
-- Days before are not restated any more. Who comes second on a day waits for nobody.
UPDATE history_start SET day = $1 WHERE day < $1

-- name: write_corrections
INSERT INTO corrections (shard, batch, area_ids, bits, days, numerators, denominators)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: move_shard
UPDATE shards SET
    next_offset = $2,
    batch = $3,
    evaluated_on = coalesce($4, evaluated_on),
    rules = coalesce($5, rules)
WHERE shard = $1

-- name: read_positions
SELECT shard, next_offset, evaluated_on, rules FROM shards WHERE shard = ANY ($1::integer[])
