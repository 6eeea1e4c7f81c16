-- name: pair
SELECT access, refresh, expires_at, fingerprint FROM tokens WHERE account = $1

-- name: begin
INSERT INTO tokens (account) VALUES ($1) ON CONFLICT (account) DO NOTHING

-- name: hold
-- A refresh token is good once: nobody else may use it until the next one stands here.
SELECT access, refresh, expires_at, fingerprint FROM tokens WHERE account = $1 FOR UPDATE

-- name: keep
UPDATE tokens
SET access = $2, refresh = $3, expires_at = $4, fingerprint = $5
WHERE account = $1
