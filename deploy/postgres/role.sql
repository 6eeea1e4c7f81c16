-- The role of the services: owner of the database, no superuser. psql runs this when the image sets
-- an empty volume up; run again it sets the password that the secret holds by then:
--     docker compose exec postgres psql --username postgres --dbname nhipso \
--         --file /docker-entrypoint-initdb.d/role.sql
-- The password is the one in the URL that the services read (NHIPSO_POSTGRES__DSN_FILE), so the two
-- cannot differ. It is made of hexadecimal digits, nothing in it is escaped.
\set ON_ERROR_STOP on
\set password `sed -E 's#^[a-z]+://nhipso:([^@]+)@.*$#\1#' "$NHIPSO_POSTGRES__DSN_FILE"`

SELECT 'CREATE ROLE nhipso' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'nhipso') \gexec

ALTER ROLE nhipso LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';

SELECT format('ALTER DATABASE %I OWNER TO nhipso', current_database()) \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
