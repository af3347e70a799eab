-- name: condition
SELECT current_setting('server_version') AS version, clock_timestamp() AS now,
       current_setting('synchronous_commit') AS synchronous_commit, current_setting('fsync') AS fsync,
       current_setting('server_encoding') AS encoding;

-- name: migrated
SELECT to_regclass('schema_migrations') IS NOT NULL AS known;

-- name: versions
SELECT version FROM schema_migrations;
