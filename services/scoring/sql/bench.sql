-- What the bench asks, beside the service that it measures.

-- name: read_positions
SELECT shard, next_offset, batch FROM shards

-- name: count_read_events
SELECT coalesce(sum(events), 0)::bigint FROM sources

-- name: read_wal_bytes
-- What the server has written to its log since it was made.
SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint

-- name: read_table_sizes
-- Of a schema, with indexes and what is stored out of line.
SELECT relname AS name, pg_total_relation_size(oid) AS bytes
FROM pg_class
WHERE relnamespace = $1::regnamespace AND relkind = 'r'
ORDER BY relname

-- name: is_scoring_here
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'nhipso-scoring'
)

-- name: has_history
SELECT to_regclass('public._pogo_migration') IS NOT NULL

-- name: forget_history
DELETE FROM public._pogo_migration WHERE schema_name = $1

-- name: read_settings
SELECT name, current_setting(name) AS setting
FROM pg_settings
WHERE name IN (
    'server_version', 'fsync', 'full_page_writes', 'synchronous_commit', 'synchronous_standby_names',
    'wal_level', 'wal_compression', 'wal_buffers', 'max_wal_size', 'checkpoint_timeout',
    'shared_buffers', 'commit_delay', 'autovacuum', 'jit'
)
ORDER BY name
