-- name: condition
SELECT current_setting('server_version') AS version, clock_timestamp() AS now,
       current_setting('synchronous_commit') AS synchronous_commit, current_setting('fsync') AS fsync,
       current_setting('server_encoding') AS encoding;

-- name: behind
-- In seconds; zero when nothing waits.
SELECT coalesce(extract(epoch FROM now() - least(
         (SELECT min(due_at) FROM payment_transactions WHERE due_at <= now()),
         (SELECT min(due_at) FROM payment_webhook_events
           WHERE is_verified AND NOT processed AND processing_error IS NULL AND due_at <= now())
       ))::double precision, 0) AS behind;

-- name: migrated
SELECT to_regclass('schema_migrations') IS NOT NULL AS known;

-- name: versions
SELECT version FROM schema_migrations;
