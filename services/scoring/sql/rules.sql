-- The catalogues that subjects have been counted under.

-- name: lock_rules
-- Processes that start together take turns; who only reads does not wait.
LOCK TABLE rules IN SHARE ROW EXCLUSIVE MODE

-- name: read_rules
-- The latest one first.
SELECT fingerprint, catalogue FROM rules ORDER BY taken_up_at DESC, fingerprint

-- name: write_rules
INSERT INTO rules (fingerprint, catalogue, taken_up_at) VALUES ($1, $2, $3)
ON CONFLICT (fingerprint) DO UPDATE SET
    catalogue = excluded.catalogue,
    taken_up_at = excluded.taken_up_at
