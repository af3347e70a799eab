-- name: add
-- No row comes back when the user's key is there, also when another transaction is just writing it.
-- $1 id, $2 payment, $3 user, $4 key, $5 fingerprint, $6 transaction, $7 amount, $8 reason, $9 created
INSERT INTO payment_refunds (
  id, payment_id, user_id, key, fingerprint, transaction, amount, reason, created_at, leased_until, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp() + interval '30 seconds',
        clock_timestamp() + interval '30 seconds')
ON CONFLICT (user_id, key) DO NOTHING
RETURNING id;

-- name: known
-- $1 user, $2 key
SELECT id, payment_id, user_id, key, fingerprint, transaction, amount, reason, status, attempts, created_at,
       accepted_at, confirmed_at, gateway_code, gateway_message,
       ceil(extract(epoch FROM leased_until - clock_timestamp()))::int AS leased_seconds,
       requested_at <= now() - interval '7 days' AS is_too_old
  FROM payment_refunds
 WHERE user_id = $1 AND key = $2
   FOR UPDATE;

-- name: lock
-- $1 id
SELECT id, payment_id, user_id, key, fingerprint, transaction, amount, reason, status, attempts, created_at,
       accepted_at, confirmed_at, gateway_code, gateway_message
  FROM payment_refunds
 WHERE id = $1
   FOR UPDATE;

-- name: of_payment
-- $1 payment
SELECT id, payment_id, user_id, key, fingerprint, transaction, amount, reason, status, attempts, created_at,
       accepted_at, confirmed_at, gateway_code, gateway_message
  FROM payment_refunds
 WHERE payment_id = $1
 ORDER BY created_at, id;

-- name: take
-- The key of one that was never sent is not known at Midtrans, so its seven days start now.
-- $1 id
UPDATE payment_refunds
   SET requested_at = CASE WHEN status = 'not_sent' THEN clock_timestamp() ELSE requested_at END,
       status = 'requested',
       attempts = attempts + 1,
       leased_until = clock_timestamp() + interval '30 seconds',
       due_at = clock_timestamp() + interval '30 seconds'
 WHERE id = $1
RETURNING id, payment_id, user_id, key, fingerprint, transaction, amount, reason, status, attempts, created_at,
          accepted_at, confirmed_at, gateway_code, gateway_message;

-- name: save
-- $1 id, $2 status, $3 accepted, $4 confirmed, $5 Midtrans's code, $6 Midtrans's message
UPDATE payment_refunds
   SET status = $2, accepted_at = $3, confirmed_at = $4, gateway_code = $5, gateway_message = $6,
       leased_until = clock_timestamp(),
       due_at = CASE
         WHEN $2 = 'requested' THEN clock_timestamp()
           + least(interval '5 seconds' * power(2, least(attempts - 1, 12)), interval '1 hour')
         WHEN $2 = 'accepted' AND $4::timestamptz IS NULL THEN clock_timestamp() + interval '1 day'
       END
 WHERE id = $1;

-- name: give_up
-- $1 id
UPDATE payment_refunds
   SET leased_until = clock_timestamp(), due_at = NULL
 WHERE id = $1;

-- name: stuck
-- $1 after how long, $2 how many
SELECT r.id, r.payment_id, r.user_id, r.key, r.fingerprint, r.transaction, r.amount, r.reason, r.status, r.attempts,
       r.created_at, r.accepted_at, r.confirmed_at, r.gateway_code, r.gateway_message, p.order_id
  FROM payment_refunds r
  JOIN payment_transactions p ON p.id = r.payment_id
 WHERE r.due_at IS NOT NULL AND r.status = 'requested' AND r.requested_at <= now() - $1::interval
 ORDER BY r.requested_at, r.id
 LIMIT $2;

-- name: take_due
-- Due ones, oldest first, for this caller alone.
-- $1 how many
WITH due AS (
  SELECT id
    FROM payment_refunds
   WHERE due_at <= now() AND leased_until <= now()
   ORDER BY due_at
   LIMIT $1
     FOR UPDATE SKIP LOCKED
)
UPDATE payment_refunds r
   SET attempts = attempts + 1,
       leased_until = now() + interval '1 minute',
       due_at = CASE
         WHEN r.status = 'requested' THEN now() + interval '1 minute'
         WHEN r.requested_at > now() - interval '7 days' THEN now() + interval '1 day'
       END
  FROM due, payment_transactions p
 WHERE r.id = due.id AND p.id = r.payment_id
RETURNING r.id, r.payment_id, r.user_id, r.key, r.fingerprint, r.transaction, r.amount, r.reason, r.status, r.attempts,
          r.created_at, r.accepted_at, r.confirmed_at, r.gateway_code, r.gateway_message, p.order_id,
          r.requested_at <= now() - interval '7 days' AS is_too_old;
