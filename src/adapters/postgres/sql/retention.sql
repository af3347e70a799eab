-- name: count_processed
-- $1 kept for
SELECT count(*) AS given_up
  FROM payment_webhook_events
 WHERE processed
   AND processing_error IS NULL
   AND received_at < (now() AT TIME ZONE 'utc') - $1::interval;

-- name: delete_processed
-- By their places, which stay the same while they are locked: any other way may read the whole table.
-- Never one that is still to do or set aside.
-- $1 kept for, $2 how many
WITH gone AS (
  DELETE FROM payment_webhook_events
   WHERE ctid = ANY (ARRAY(
     SELECT ctid
       FROM payment_webhook_events
      WHERE processed
        AND processing_error IS NULL
        AND received_at < (now() AT TIME ZONE 'utc') - $1::interval
      ORDER BY received_at
      LIMIT $2
        FOR UPDATE SKIP LOCKED))
  RETURNING 1
)
SELECT count(*) AS gone FROM gone;

-- name: count_forged
-- $1 kept for, $2 how many at most are kept
SELECT count(*) AS given_up
  FROM payment_webhook_events
 WHERE forged
   AND received_at < greatest(
     (now() AT TIME ZONE 'utc') - $1::interval,
     (SELECT received_at FROM payment_webhook_events WHERE forged ORDER BY received_at DESC OFFSET $2 - 1 LIMIT 1));

-- name: delete_forged
-- $1 kept for, $2 how many, $3 how many at most are kept
WITH gone AS (
  DELETE FROM payment_webhook_events
   WHERE ctid = ANY (ARRAY(
     SELECT ctid
       FROM payment_webhook_events
      WHERE forged
        AND received_at < greatest(
          (now() AT TIME ZONE 'utc') - $1::interval,
          (SELECT received_at FROM payment_webhook_events WHERE forged ORDER BY received_at DESC OFFSET $3 - 1 LIMIT 1))
      ORDER BY received_at
      LIMIT $2
        FOR UPDATE SKIP LOCKED))
  RETURNING 1
)
SELECT count(*) AS gone FROM gone;

-- name: count_idempotency_keys
-- $1 kept for
SELECT count(*) AS given_up
  FROM payment_idempotency_keys
 WHERE created_at <= now() - $1::interval
   AND leased_until <= now();

-- name: delete_idempotency_keys
-- Never one whose call is being answered.
-- $1 kept for, $2 how many
WITH gone AS (
  DELETE FROM payment_idempotency_keys
   WHERE ctid = ANY (ARRAY(
     SELECT ctid
       FROM payment_idempotency_keys
      WHERE created_at <= now() - $1::interval
        AND leased_until <= now()
      ORDER BY created_at
      LIMIT $2
        FOR UPDATE SKIP LOCKED))
  RETURNING 1
)
SELECT count(*) AS gone FROM gone;

-- name: count_delivered_events
-- $1 kept for
SELECT count(*) AS given_up
  FROM merchant_events e
 WHERE e.created_at < now() - $1::interval
   AND NOT EXISTS (
     SELECT
       FROM merchant_deliveries d
      WHERE d.event_id = e.id AND (d.delivered_at IS NULL OR d.delivered_at >= now() - $1::interval));

-- name: delete_delivered_events
-- Never one that somebody is still to have, or that was given up. Of each, all deliveries have to be had: one
-- that is resent at this instant is locked, or is not delivered any more when it is read again to be locked.
-- $1 kept for, $2 how many
WITH old AS (
  SELECT e.id
    FROM merchant_events e
   WHERE e.created_at < now() - $1::interval
     AND NOT EXISTS (
       SELECT
         FROM merchant_deliveries d
        WHERE d.event_id = e.id AND (d.delivered_at IS NULL OR d.delivered_at >= now() - $1::interval))
   ORDER BY e.created_at
   LIMIT $2
     FOR UPDATE SKIP LOCKED
), had AS (
  SELECT d.event_id, d.endpoint_id
    FROM old
    JOIN merchant_deliveries d ON d.event_id = old.id
   WHERE d.delivered_at < now() - $1::interval
     FOR UPDATE OF d SKIP LOCKED
), gone AS (
  DELETE FROM merchant_events
   WHERE id = ANY (ARRAY(
     SELECT old.id
       FROM old
       LEFT JOIN merchant_deliveries d ON d.event_id = old.id
       LEFT JOIN had ON had.event_id = d.event_id AND had.endpoint_id = d.endpoint_id
      GROUP BY old.id
     HAVING count(d.event_id) = count(had.event_id)))
  RETURNING 1
)
SELECT count(*) AS gone FROM gone;
