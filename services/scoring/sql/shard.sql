-- The shard transaction. $1 is the shard everywhere.

-- name: create_shard
INSERT INTO shards (shard) VALUES ($1) ON CONFLICT DO NOTHING

-- name: lock_shard
SELECT next_offset, batch, evaluated_on FROM shards WHERE shard = $1 FOR UPDATE

-- name: read_subjects
SELECT subject, facts, area_id, population, numerator, due_on
FROM subjects
WHERE shard = $1 AND subject = ANY ($2::text[])

-- name: read_due_subjects
SELECT subject, facts, area_id, population, numerator, due_on
FROM subjects
WHERE shard = $1 AND due_on <= $2
ORDER BY due_on
LIMIT $3

-- name: write_subjects
INSERT INTO subjects AS known (shard, subject, facts, area_id, population, numerator, due_on)
SELECT $1, new.subject, new.facts, new.area_id, new.population, new.numerator, new.due_on
FROM unnest($2::text[], $3::bytea[], $4::text[], $5::bigint[], $6::bigint[], $7::date[])
    AS new (subject, facts, area_id, population, numerator, due_on)
ON CONFLICT (shard, subject) DO UPDATE SET
    facts = excluded.facts,
    area_id = excluded.area_id,
    population = excluded.population,
    numerator = excluded.numerator,
    due_on = excluded.due_on

-- name: add_to_counters
INSERT INTO counters AS known (area_id, indicator, shard, numerator, denominator)
SELECT new.area_id, new.indicator, $1, new.numerator, new.denominator
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[])
    AS new (area_id, indicator, numerator, denominator)
ON CONFLICT (area_id, indicator, shard) DO UPDATE SET
    numerator = known.numerator + excluded.numerator,
    denominator = known.denominator + excluded.denominator

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
INSERT INTO touched
    (shard, batch, area_ids, indicators, reported_area_ids, reported_indicators)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: move_shard
UPDATE shards SET next_offset = $2, batch = $3, evaluated_on = coalesce($4, evaluated_on)
WHERE shard = $1

-- name: read_positions
SELECT shard, next_offset, evaluated_on FROM shards WHERE shard = ANY ($1::integer[])
