-- name: upsert
-- Newer versions alone change a row; rows are locked in the order of the key, as `take_changed`
-- does, so that the two never wait for each other in a circle.
INSERT INTO figures AS known (
    area, indicator, basis, version, numerator, denominator, value, updated_at,
    first_on, first_percent, is_changed
)
SELECT area, indicator, basis, version, numerator, denominator, value, updated_at,
       first_on, first_percent, true
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::numeric[],
    $8::timestamptz[], $9::date[], $10::numeric[]
) AS told (
    area, indicator, basis, version, numerator, denominator, value, updated_at,
    first_on, first_percent
)
ORDER BY area COLLATE "C", indicator COLLATE "C", basis COLLATE "C"
ON CONFLICT (area, indicator, basis) DO UPDATE SET
    version = excluded.version,
    numerator = excluded.numerator,
    denominator = excluded.denominator,
    value = excluded.value,
    updated_at = excluded.updated_at,
    first_on = coalesce(known.first_on, excluded.first_on),
    first_percent = coalesce(known.first_percent, excluded.first_percent),
    is_changed = true
WHERE known.version < excluded.version

-- name: hear
INSERT INTO feeds AS known (feed, heard_at)
SELECT feed, heard_at
FROM unnest($1::text[], $2::timestamptz[]) AS told (feed, heard_at)
ORDER BY feed COLLATE "C"
ON CONFLICT (feed) DO UPDATE SET heard_at = excluded.heard_at
WHERE known.heard_at < excluded.heard_at

-- name: feeds
SELECT feed, heard_at FROM feeds

-- name: take_changed
-- Without the key it would pass over all that was taken before: the index keeps it until a vacuum.
-- By their places, since a join would read the whole table each time; what another transaction has
-- just moved stays changed and is taken the next time.
UPDATE figures
SET is_changed = false
WHERE ctid = ANY (ARRAY(
    SELECT ctid
    FROM figures
    WHERE is_changed AND (area, indicator, basis) > ($1, $2, $3)
    ORDER BY area, indicator, basis
    LIMIT $4
    FOR UPDATE
))
RETURNING *

-- name: after
SELECT *
FROM figures
WHERE (area, indicator, basis) > ($1, $2, $3)
ORDER BY area, indicator, basis
LIMIT $4

-- name: of_keys
SELECT known.*
FROM figures AS known
JOIN unnest($1::text[], $2::text[], $3::text[]) AS asked (area, indicator, basis)
    ON (known.area, known.indicator, known.basis) = (asked.area, asked.indicator, asked.basis)
