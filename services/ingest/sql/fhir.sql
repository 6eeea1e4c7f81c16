-- name: lock_subscription
SELECT last_event, missed_events FROM fhir_subscriptions
WHERE connector = $1 AND subscription = $2 FOR UPDATE

-- name: create_subscription
INSERT INTO fhir_subscriptions (connector, subscription, status, last_event, missed_events, heard_at)
VALUES ($1, $2, 'requested', -1, 0, $3)
ON CONFLICT DO NOTHING

-- name: keep_subscription
UPDATE fhir_subscriptions
SET status = $3, last_event = $4, missed_events = $5, heard_at = $6
WHERE connector = $1 AND subscription = $2

-- name: read_missed
SELECT sum(missed_events)::bigint FROM fhir_subscriptions WHERE connector = $1
