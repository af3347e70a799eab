-- name: add
-- One that is kept already is left as it is: it was stored, and nobody heard of it.
-- By column: $1 id, $2 received, $3 order id, $4 transaction id, $5 body, $6 signature, $7 processed, $8 error
INSERT INTO payment_webhook_events (
  id, received_at, order_id, midtrans_transaction_id, raw_body, signature_key, is_verified, processed,
  processing_error)
SELECT n.id, n.received_at, n.order_id, n.transaction_id, n.body::jsonb, n.signature_key, true, n.processed, n.error
  FROM unnest($1::uuid[], $2::timestamp[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::text[])
         AS n (id, received_at, order_id, transaction_id, body, signature_key, processed, error)
ON CONFLICT (id) DO NOTHING;

-- name: add_repeat
-- Kept like any other until there are 100 of the same in a day; past that the newest of them counts it. One that
-- is kept already is left as it is, and not counted. One that is to be confirmed makes the newest so again, as if it
-- had just come: Midtrans may say by now what it did not say before.
-- $1 id, $2 received, $3 order id, $4 transaction id, $5 body, $6 signature, $7 processed, $8 error,
-- $9 transaction status
WITH same AS (
  SELECT id
    FROM payment_webhook_events
   WHERE order_id = $3
     AND signature_key = $6
     AND midtrans_transaction_id IS NOT DISTINCT FROM $4
     AND raw_body ->> 'transaction_status' = $9
     AND received_at > $2::timestamp - interval '1 day'
   ORDER BY received_at DESC
   LIMIT 100
), full_day AS (
  SELECT count(*) >= 100 AS is_full, coalesce(bool_or(id = $1), false) AS is_kept,
         NOT $7::boolean AND $8::text IS NULL AS is_to_do
    FROM same
), counted AS (
  UPDATE payment_webhook_events
     SET repeats = repeats + 1,
         processed = processed AND NOT is_to_do,
         processing_error = CASE WHEN NOT is_to_do THEN processing_error END,
         attempts = CASE WHEN is_to_do THEN 0 ELSE attempts END,
         due_at = CASE WHEN is_to_do THEN now() ELSE due_at END
    FROM full_day
   WHERE id = (SELECT id FROM same LIMIT 1)
     AND is_full
     AND NOT is_kept
)
INSERT INTO payment_webhook_events (
  id, received_at, order_id, midtrans_transaction_id, raw_body, signature_key, is_verified, processed,
  processing_error)
SELECT $1, $2, $3, $4, $5::text::jsonb, $6, true, $7, $8
 WHERE NOT (SELECT is_full FROM full_day)
ON CONFLICT (id) DO NOTHING;

-- name: add_forged
-- At most 200 in a minute: a flood must not fill the disk.
-- $1 id, $2 received, $3 order id, $4 body
INSERT INTO payment_webhook_events (id, received_at, order_id, raw_body, is_verified, processed, forged)
SELECT $1, $2, $3, $4::text::jsonb, false, false, true
 WHERE NOT EXISTS (
   SELECT
     FROM payment_webhook_events
    WHERE forged AND received_at > $2::timestamp - interval '1 minute'
    ORDER BY received_at DESC
   OFFSET 199 LIMIT 1);

-- name: take_doubtful
-- Due ones, oldest first, for this caller alone; each try waits longer for the next.
-- $1 how many
UPDATE payment_webhook_events
   SET attempts = attempts + 1,
       due_at = now() + least(interval '30 seconds' * power(2, least(attempts, 10)), interval '1 hour')
 WHERE id IN (
   SELECT id
     FROM payment_webhook_events
    WHERE is_verified AND NOT processed AND processing_error IS NULL AND due_at <= now()
    ORDER BY due_at
    LIMIT $1
      FOR UPDATE SKIP LOCKED)
RETURNING id, order_id, midtrans_transaction_id, raw_body ->> 'transaction_status' AS transaction_status, attempts,
          jsonb_build_object('refund_amount', raw_body -> 'refund_amount', 'refund_key', raw_body -> 'refund_key',
                             'refunds', raw_body -> 'refunds') AS refunds;

-- name: postpone
-- $1 ids
UPDATE payment_webhook_events
   SET due_at = now() + least(interval '1 second' * power(2, least(attempts, 12)), interval '1 hour')
 WHERE id = ANY ($1::uuid[]);

-- name: mark_processed
-- $1 ids
UPDATE payment_webhook_events
   SET processed = true, processing_error = NULL
 WHERE id = ANY ($1::uuid[]);

-- name: set_aside
-- One that was replayed and processed meanwhile stays so.
-- $1 ids, $2 why
UPDATE payment_webhook_events
   SET processing_error = $2
 WHERE id = ANY ($1::uuid[])
   AND NOT processed;

-- name: dismiss
-- $1 ids, $2 why nothing follows
UPDATE payment_webhook_events
   SET processed = true, processing_error = $2 || ' (' || processing_error || ')'
 WHERE id = ANY ($1::uuid[])
   AND NOT processed
   AND processing_error IS NOT NULL
RETURNING id;

-- name: replayed
-- An earlier service may not have filled the columns by which the background work asks.
-- $1 id, $2 order id, $3 transaction id, $4 processed, $5 error
UPDATE payment_webhook_events
   SET order_id = $2, midtrans_transaction_id = $3, is_verified = true, processed = $4, processing_error = $5,
       attempts = 0, due_at = now()
 WHERE id = $1
   AND NOT forged
RETURNING id;
