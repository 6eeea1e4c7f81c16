-- name: alerts
SELECT state, kind, severity, count(*) AS number FROM alerts GROUP BY state, kind, severity

-- name: deliveries
SELECT kind, count(*) AS number, min(created_at) AS oldest
FROM deliveries
WHERE state = 'waiting'
GROUP BY kind

-- name: outbox
SELECT count(*) FROM outbox
