-- name: read_checkpoint
SELECT version, cursor::text AS cursor FROM checkpoints WHERE connector = $1

-- name: create_checkpoint
INSERT INTO checkpoints (connector, version, cursor, moved_at) VALUES ($1, 1, $2::jsonb, $3)
ON CONFLICT DO NOTHING

-- name: move_checkpoint
UPDATE checkpoints SET version = version + 1, cursor = $3::jsonb, moved_at = $4
WHERE connector = $1 AND version = $2

-- name: tell_state
INSERT INTO connector_states AS stored (connector, state, detail, since) VALUES ($1, $2, $3, $4)
ON CONFLICT (connector) DO UPDATE SET
    since = CASE WHEN stored.state = excluded.state THEN stored.since ELSE excluded.since END,
    state = excluded.state,
    detail = excluded.detail

-- name: read_states
SELECT connector, state, detail, since, version, cursor::text AS cursor, moved_at
FROM connector_states FULL JOIN checkpoints USING (connector)

-- name: lock
SELECT pg_try_advisory_lock($1, hashtext($2))

-- name: wake
SELECT pg_notify($1, $2)
