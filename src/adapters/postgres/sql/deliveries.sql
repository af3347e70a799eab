-- name: ready
-- The endpoints with something due, locked until the transaction ends: whoever takes from one sees what the
-- taker before has taken. Their heads' due times order them: who waits longest comes first.
-- $1 how many
SELECT e.id
  FROM merchant_endpoints e
 CROSS JOIN LATERAL (
   SELECT d.due_at
     FROM merchant_deliveries d
    WHERE d.endpoint_id = e.id AND d.delivered_at IS NULL AND d.gave_up_at IS NULL
      AND d.due_at <= now() AND d.leased_until <= now()
    ORDER BY d.due_at
    LIMIT 1) head
 WHERE e.disabled_at IS NULL AND e.paused_until <= now()
 ORDER BY head.due_at
 LIMIT $1
   FOR NO KEY UPDATE OF e SKIP LOCKED;

-- name: take
-- From each of the locked endpoints, in their order. Of a payment only its earliest event that waits, and none
-- while another of its events is under way. What waits behind one that is tried later waits as long, or it would
-- be looked at each time. A run of failures that broke off an hour ago says nothing any more.
-- $1 endpoints, $2 how many at the same time of each, $3 from how many strikes on one alone, $4 how many in all
WITH ready AS (
  SELECT e.id, e.url, e.secret, e.allow_private, o.place,
         CASE WHEN e.previous_until > now() THEN e.previous_secret END AS previous_secret,
         CASE WHEN e.paused_until > now() - interval '1 hour' THEN e.strikes ELSE 0 END AS strikes,
         CASE WHEN e.paused_until > now() - interval '1 hour' THEN now() - e.failing_since END AS failing_for,
         (SELECT count(*)
            FROM merchant_deliveries f
           WHERE f.endpoint_id = e.id AND f.leased_until > '-infinity' AND f.leased_until > now()) AS under_way
    FROM unnest($1::uuid[]) WITH ORDINALITY AS o (id, place)
    JOIN merchant_endpoints e ON e.id = o.id
), picked AS (
  SELECT ready.id AS endpoint_id, due.event_id, ready.place, due.due_at
    FROM ready
   CROSS JOIN LATERAL (
     SELECT d.event_id, d.due_at
       FROM merchant_deliveries d
      WHERE d.endpoint_id = ready.id AND d.delivered_at IS NULL AND d.gave_up_at IS NULL
        AND d.due_at <= now() AND d.leased_until <= now()
        AND NOT EXISTS (
          SELECT
            FROM merchant_deliveries other
           WHERE other.endpoint_id = d.endpoint_id AND other.payment_id = d.payment_id
             AND other.delivered_at IS NULL AND other.gave_up_at IS NULL
             AND ((other.seq, other.event_id) < (d.seq, d.event_id) OR other.leased_until > now()))
      ORDER BY d.due_at
      LIMIT greatest(CASE WHEN ready.strikes > $3 THEN 1 ELSE $2 END - ready.under_way, 0)) due
   ORDER BY ready.place, due.due_at
   LIMIT $4
), behind AS (
  UPDATE merchant_deliveries d
     SET due_at = earlier.due_at
    FROM ready
   CROSS JOIN LATERAL (
     SELECT first.event_id, first.payment_id, first.seq
       FROM merchant_deliveries first
      WHERE first.endpoint_id = ready.id AND first.delivered_at IS NULL AND first.gave_up_at IS NULL
        AND first.due_at <= now() AND first.leased_until <= now()
      ORDER BY first.due_at
      LIMIT 100) due
    JOIN merchant_deliveries earlier
      ON earlier.endpoint_id = ready.id AND earlier.payment_id = due.payment_id
     AND earlier.delivered_at IS NULL AND earlier.gave_up_at IS NULL
     AND (earlier.seq, earlier.event_id) < (due.seq, due.event_id)
   WHERE d.endpoint_id = ready.id AND d.event_id = due.event_id AND earlier.due_at > now()
), taken AS (
  UPDATE merchant_deliveries d
     SET leased_until = clock_timestamp() + interval '30 seconds', attempts = d.attempts + 1, last_attempted_at = now(),
         first_attempted_at = coalesce(d.first_attempted_at, now())
    FROM picked
   WHERE d.event_id = picked.event_id AND d.endpoint_id = picked.endpoint_id
     AND d.delivered_at IS NULL AND d.gave_up_at IS NULL AND d.leased_until <= now()
  RETURNING d.event_id, d.endpoint_id, d.payment_id, d.attempts, d.refusals, now() - d.first_attempted_at AS tried_for,
            picked.place, picked.due_at
)
SELECT taken.event_id, taken.endpoint_id, taken.payment_id, taken.attempts, taken.refusals, taken.tried_for,
       event.type, event.body, ready.url, ready.secret, ready.previous_secret, ready.allow_private, ready.strikes,
       coalesce(ready.failing_for, interval '0') AS failing_for
  FROM taken
  JOIN ready ON ready.id = taken.endpoint_id
  JOIN merchant_events event ON event.id = taken.event_id
 ORDER BY taken.place, taken.due_at;

-- name: answers_again
-- $1 endpoint
UPDATE merchant_endpoints
   SET strikes = 0, failing_since = NULL, paused_until = '-infinity'
 WHERE id = $1 AND strikes > 0;

-- name: delivered
-- What waited behind it is due. No row comes back when the try was another's meanwhile.
-- $1 event, $2 endpoint, $3 attempt, $4 status
WITH done AS (
  UPDATE merchant_deliveries
     SET delivered_at = now(), leased_until = '-infinity', last_status = $4, last_error = NULL
   WHERE event_id = $1 AND endpoint_id = $2 AND attempts = $3 AND leased_until > '-infinity'
  RETURNING event_id, endpoint_id, payment_id
), freed AS (
  UPDATE merchant_deliveries d
     SET due_at = now()
    FROM done
   WHERE d.endpoint_id = done.endpoint_id AND d.payment_id = done.payment_id AND d.event_id <> done.event_id
     AND d.delivered_at IS NULL AND d.gave_up_at IS NULL AND d.due_at > now()
)
SELECT event_id FROM done;

-- name: strike
-- Of several that failed at the same time each counts, as long as it may be their own fault.
-- $1 endpoint, $2 strikes at least, $3 pause, $4 strikes to add, $5 from how many on it is failing
UPDATE merchant_endpoints
   SET strikes = greatest(CASE WHEN paused_until > now() - interval '1 hour' THEN strikes ELSE 0 END + $4::int,
                          $2::int),
       failing_since = CASE
         WHEN greatest(CASE WHEN paused_until > now() - interval '1 hour' THEN strikes ELSE 0 END + $4::int,
                       $2::int) <= $5::int THEN NULL
         WHEN paused_until > now() - interval '1 hour' THEN coalesce(failing_since, now())
         ELSE now() END,
       paused_until = greatest(paused_until, now() + $3::interval)
 WHERE id = $1;

-- name: failed
-- Once it is given up, what waited behind it is due. No row comes back when the try was another's meanwhile.
-- $1 event, $2 endpoint, $3 attempt, $4 status, $5 error, $6 refusals, $7 when again, null for never
WITH done AS (
  UPDATE merchant_deliveries
     SET leased_until = '-infinity', last_status = $4, last_error = $5, refusals = $6,
         due_at = now() + coalesce($7::interval, interval '0'),
         gave_up_at = CASE WHEN $7::interval IS NULL THEN now() END
   WHERE event_id = $1 AND endpoint_id = $2 AND attempts = $3 AND leased_until > '-infinity'
  RETURNING event_id, endpoint_id, payment_id, gave_up_at
), freed AS (
  UPDATE merchant_deliveries d
     SET due_at = now()
    FROM done
   WHERE done.gave_up_at IS NOT NULL
     AND d.endpoint_id = done.endpoint_id AND d.payment_id = done.payment_id AND d.event_id <> done.event_id
     AND d.delivered_at IS NULL AND d.gave_up_at IS NULL AND d.due_at > now()
)
SELECT event_id FROM done;

-- name: give_up_older
-- So many at a time that it never takes long; the next try that fails gives up more.
-- $1 endpoint, $2 than how long
WITH given_up AS (
  UPDATE merchant_deliveries d
     SET gave_up_at = now()
    FROM (SELECT event_id
            FROM merchant_deliveries
           WHERE endpoint_id = $1 AND delivered_at IS NULL AND gave_up_at IS NULL
             AND leased_until <= now() AND queued_at <= now() - $2::interval
           LIMIT 20000) old
   WHERE d.event_id = old.event_id AND d.endpoint_id = $1 AND d.delivered_at IS NULL AND d.gave_up_at IS NULL
     AND d.leased_until <= now() AND d.queued_at <= now() - $2::interval
  RETURNING 1
)
SELECT count(*)::int AS gave_up FROM given_up;

-- name: gone
-- $1 event, $2 endpoint, $3 attempt, $4 status
UPDATE merchant_deliveries
   SET leased_until = '-infinity', last_status = $4, last_error = NULL
 WHERE event_id = $1 AND endpoint_id = $2 AND attempts = $3 AND leased_until > '-infinity'
RETURNING event_id;

-- name: of_payment
-- $1 payment
SELECT d.event_id, d.endpoint_id, p.order_id, e.type, n.url, e.created_at, d.attempts, d.last_attempted_at,
       d.last_status, d.last_error, d.delivered_at, d.gave_up_at,
       CASE WHEN d.delivered_at IS NULL AND d.gave_up_at IS NULL AND n.disabled_at IS NULL
            THEN greatest(d.due_at, n.paused_until) END AS due_at
  FROM merchant_events e
  JOIN merchant_deliveries d ON d.event_id = e.id
  JOIN merchant_endpoints n ON n.id = d.endpoint_id
  JOIN payment_transactions p ON p.id = e.payment_id
 WHERE e.payment_id = $1
 ORDER BY e.seq DESC, e.id DESC, n.created_at, n.id
 LIMIT 1000;

-- name: page
-- $1 whether only what was given up, $2 whether only of enabled endpoints, $3 how many
SELECT d.event_id, d.endpoint_id, p.order_id, e.type, n.url, e.created_at, d.attempts, d.last_attempted_at,
       d.last_status, d.last_error, d.delivered_at, d.gave_up_at,
       CASE WHEN d.delivered_at IS NULL AND d.gave_up_at IS NULL AND n.disabled_at IS NULL
            THEN greatest(d.due_at, n.paused_until) END AS due_at
  FROM merchant_events e
  JOIN merchant_deliveries d ON d.event_id = e.id
  JOIN merchant_endpoints n ON n.id = d.endpoint_id
  JOIN payment_transactions p ON p.id = e.payment_id
 WHERE (NOT $1::boolean OR d.gave_up_at IS NOT NULL)
   AND (NOT $2::boolean OR n.disabled_at IS NULL)
 ORDER BY e.created_at DESC, e.seq DESC, e.id DESC, n.created_at, n.id
 LIMIT $3;

-- name: failed_events
SELECT e.id
  FROM merchant_events e
 WHERE e.id IN (SELECT event_id FROM merchant_deliveries WHERE gave_up_at IS NOT NULL)
 ORDER BY e.created_at, e.seq, e.id;

-- name: lock_endpoints
-- $1 events
SELECT id
  FROM merchant_endpoints
 WHERE id IN (SELECT endpoint_id FROM merchant_deliveries WHERE event_id = ANY ($1::uuid[]))
 ORDER BY id
   FOR NO KEY UPDATE;

-- name: lift_pauses
-- $1 endpoints
UPDATE merchant_endpoints
   SET paused_until = now()
 WHERE id = ANY ($1::uuid[]) AND paused_until > now();

-- name: resend
-- One that is under way stays so; its outcome is the new one's.
-- $1 events, $2 payment or null
WITH again AS (
  UPDATE merchant_deliveries
     SET delivered_at = NULL, gave_up_at = NULL, queued_at = now(), due_at = now(), refusals = 0,
         first_attempted_at = NULL
   WHERE event_id = ANY ($1::uuid[]) AND ($2::uuid IS NULL OR payment_id = $2)
  RETURNING event_id
)
SELECT DISTINCT event_id FROM again;

-- name: oldest_waiting
SELECT coalesce(now() - min(d.queued_at), interval '0') AS waited
  FROM merchant_deliveries d
  JOIN merchant_endpoints e ON e.id = d.endpoint_id
 WHERE d.delivered_at IS NULL AND d.gave_up_at IS NULL AND e.disabled_at IS NULL;

-- name: backlogs
SELECT endpoint_id, sum(waiting)::int AS waiting, sum(gave_up)::int AS gave_up
  FROM (SELECT endpoint_id, 1 AS waiting, 0 AS gave_up
          FROM merchant_deliveries
         WHERE delivered_at IS NULL AND gave_up_at IS NULL
         UNION ALL
        SELECT endpoint_id, 0, 1
          FROM merchant_deliveries
         WHERE gave_up_at IS NOT NULL) lacking
 GROUP BY endpoint_id;
