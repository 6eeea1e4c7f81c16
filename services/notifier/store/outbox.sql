-- name: add
INSERT INTO outbox (id, key, payload) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING

-- name: next
SELECT number, id, key, payload FROM outbox ORDER BY number LIMIT $1

-- name: done
DELETE FROM outbox WHERE number = ANY ($1::bigint[])
