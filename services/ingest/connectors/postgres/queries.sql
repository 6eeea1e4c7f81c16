-- What the connector asks of a source's database. {table}, {watermark} and {content} are put in as
-- quoted names; {type} is one of the types that the connector knows.

-- name: settings
-- For the transaction alone: a pool between us and the server may give the session to others.
SELECT set_config('TimeZone', 'UTC', true),
       set_config('DateStyle', 'ISO, YMD', true),
       set_config('IntervalStyle', 'iso_8601', true),
       set_config('bytea_output', 'hex', true),
       set_config('extra_float_digits', '1', true),
       set_config('statement_timeout', $1, true),
       set_config('lock_timeout', '10s', true),
       set_config('idle_in_transaction_session_timeout', '60s', true)

-- name: describe
SELECT c.oid::bigint AS oid,
       c.relkind::text AS kind,
       has_table_privilege(c.oid, 'SELECT') AS is_readable,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
       w.attnotnull AS is_never_null,
       w.atttypid::regtype::text AS type,
       EXISTS (SELECT FROM pg_catalog.pg_index i
               WHERE i.indrelid = c.oid AND i.indkey[0] = w.attnum
                 AND i.indisvalid AND i.indpred IS NULL) AS is_indexed
FROM pg_catalog.pg_class c
LEFT JOIN pg_catalog.pg_attribute w
       ON w.attrelid = c.oid AND w.attname = $2 AND w.attnum > 0 AND NOT w.attisdropped
WHERE c.oid = to_regclass($1)

-- name: snapshot
-- The identity changes when another cluster answers or this one was set back to an earlier time:
-- transaction ids count anew there.
SELECT pg_snapshot_xmin(s)::text::bigint AS horizon,
       pg_snapshot_xmax(s)::text::bigint AS next,
       now() AS began,
       pg_is_in_recovery() AS is_replica,
       (SELECT system_identifier::text FROM pg_control_system())
           || '/' || (SELECT timeline_id::text FROM pg_control_checkpoint())
           || '/' || (SELECT oid::text FROM pg_catalog.pg_database WHERE datname = current_database())
           || '/' || $1::bigint::text AS identity
FROM pg_current_snapshot() s

-- name: filenode
SELECT pg_relation_filenode($1::bigint::oid)::bigint

-- name: rows
-- $1 horizon, $2 least watermark, $3 and $4 where the last page ended, $5 most rows.
-- A row's xmin has 32 bits; how far it lies behind the next id says which one it is, also after
-- the counter has gone round. Of rows older than a whole round too many may be read, never too few.
WITH clock AS MATERIALIZED (
    SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next
)
SELECT t.{watermark}::text AS watermark,
       t.ctid::text AS ctid,
       clock.next - ((clock.next - t.xmin::text::bigint) & 4294967295) AS xid,
       {content} AS content
FROM ONLY {table} t, clock
WHERE ($1::bigint = 0
       OR ((clock.next - t.xmin::text::bigint) & 4294967295) <= clock.next - $1::bigint)
  AND ($2::text IS NULL OR t.{watermark} >= $2::text::{type})
  AND ($3::text IS NULL OR (t.{watermark}, t.ctid) > ($3::text::{type}, $4::text::tid))
ORDER BY t.{watermark}, t.ctid
LIMIT $5::bigint

-- name: count
-- As `rows`, without what the last page ended with; for the metric alone, hence bounded.
WITH clock AS MATERIALIZED (
    SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next
)
SELECT count(*) FROM (
    SELECT FROM ONLY {table} t, clock
    WHERE ($1::bigint = 0
           OR ((clock.next - t.xmin::text::bigint) & 4294967295) <= clock.next - $1::bigint)
      AND ($2::text IS NULL OR t.{watermark} >= $2::text::{type})
    LIMIT 1000000
) waiting
