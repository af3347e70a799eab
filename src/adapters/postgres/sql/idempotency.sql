-- name: seen
-- $1 user, $2 key
SELECT EXISTS (
  SELECT FROM payment_idempotency_keys
   WHERE user_id = $1 AND key = $2 AND created_at > now() - interval '72 hours') AS found;

-- name: forget_old
-- $1 user, $2 key
DELETE FROM payment_idempotency_keys
 WHERE user_id = $1 AND key = $2 AND created_at <= now() - interval '72 hours'
   AND leased_until <= now();

-- name: insert
-- No row comes back when the key is there, also when another transaction is just writing it.
-- $1 user, $2 key, $3 fingerprint, $4 payment, $5 lease
INSERT INTO payment_idempotency_keys (user_id, key, fingerprint, payment_id, lease, leased_until)
VALUES ($1, $2, $3, $4, $5, now() + interval '30 seconds')
ON CONFLICT (user_id, key) DO NOTHING
RETURNING key;

-- name: lock
-- $1 user, $2 key
SELECT k.fingerprint, k.finished, k.uncharged, k.gateway_code, k.gateway_message, k.lost, p.order_id,
       ceil(extract(epoch FROM k.leased_until - clock_timestamp()))::int AS leased_seconds
  FROM payment_idempotency_keys k
  JOIN payment_transactions p ON p.id = k.payment_id
 WHERE k.user_id = $1 AND k.key = $2
   FOR UPDATE OF k;

-- name: take
-- $1 user, $2 key, $3 lease
UPDATE payment_idempotency_keys
   SET lease = $3, leased_until = clock_timestamp() + interval '30 seconds', uncharged = false
 WHERE user_id = $1 AND key = $2 AND NOT finished;

-- name: keep
-- No row comes back when somebody else has taken the call over.
-- $1 user, $2 key, $3 lease
UPDATE payment_idempotency_keys
   SET leased_until = clock_timestamp() + interval '30 seconds'
 WHERE user_id = $1 AND key = $2 AND NOT finished AND lease IS NOT DISTINCT FROM $3
RETURNING key;

-- name: release
-- $1 user, $2 key, $3 lease, $4 whether certainly nothing was charged
UPDATE payment_idempotency_keys
   SET leased_until = clock_timestamp(), uncharged = $4
 WHERE user_id = $1 AND key = $2 AND NOT finished AND lease IS NOT DISTINCT FROM $3;

-- name: end
-- $1 user, $2 key, $3 lease, $4 Midtrans's code, $5 Midtrans's message, $6 lost
UPDATE payment_idempotency_keys
   SET finished = true, gateway_code = $4, gateway_message = $5, lost = $6
 WHERE user_id = $1 AND key = $2 AND NOT finished AND lease IS NOT DISTINCT FROM $3;
