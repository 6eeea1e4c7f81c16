-- name: of_keys
SELECT known.*
FROM courses AS known
JOIN unnest($1::text[], $2::text[], $3::text[]) AS asked (area, indicator, basis)
    ON (known.area, known.indicator, known.basis) = (asked.area, asked.indicator, asked.basis)

-- name: save
INSERT INTO courses (
    area, indicator, basis, then_on, then_percent, since_on, since_percent, denominator, moved_at
)
SELECT *
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::date[], $5::numeric[], $6::date[], $7::numeric[],
    $8::bigint[], $9::timestamptz[]
)
ON CONFLICT (area, indicator, basis) DO UPDATE SET
    then_on = excluded.then_on,
    then_percent = excluded.then_percent,
    since_on = excluded.since_on,
    since_percent = excluded.since_percent,
    denominator = excluded.denominator,
    moved_at = excluded.moved_at
