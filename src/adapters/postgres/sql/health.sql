-- name: condition
SELECT current_setting('server_version') AS version, clock_timestamp() AS now,
       current_setting('synchronous_commit') AS synchronous_commit, current_setting('fsync') AS fsync,
       current_setting('server_encoding') AS encoding;

-- name: behind
-- In seconds; zero when nothing waits. An event waits for us only while nobody tells its endpoint anything, and since
-- that may be told something again: what waits because an endpoint is away or slow is not for us to do.
SELECT coalesce(extract(epoch FROM now() - least(
         (SELECT min(due_at) FROM payment_transactions WHERE due_at <= now()),
         (SELECT min(due_at) FROM payment_webhook_events
           WHERE is_verified AND NOT processed AND processing_error IS NULL AND due_at <= now()),
         (SELECT min(due_at) FROM payment_refunds WHERE due_at <= now()),
         (SELECT min(greatest(head.due_at, e.paused_until))
            FROM merchant_endpoints e
           CROSS JOIN LATERAL (
             SELECT d.due_at
               FROM merchant_deliveries d
              WHERE d.endpoint_id = e.id AND d.delivered_at IS NULL AND d.gave_up_at IS NULL AND d.due_at <= now()
              ORDER BY d.due_at
              LIMIT 1) head
           WHERE e.disabled_at IS NULL AND e.paused_until <= now()
             AND NOT EXISTS (
               SELECT
                 FROM merchant_deliveries told
                WHERE told.endpoint_id = e.id AND told.leased_until > '-infinity' AND told.leased_until > now()))
       ))::double precision, 0) AS behind;

-- name: migrated
SELECT to_regclass('schema_migrations') IS NOT NULL AS known;

-- name: versions
SELECT version FROM schema_migrations;
