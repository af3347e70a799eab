-- name: find
-- $1 id
SELECT id, received_at, order_id, midtrans_transaction_id,
       left(raw_body ->> 'transaction_status', 64) AS transaction_status, is_verified, processed,
       processing_error, forged, attempts, repeats, raw_body, signature_key
  FROM payment_webhook_events
 WHERE id = $1;

-- name: page
-- Newest first, after the place ($1, $2) if one is given.
-- $1 received, $2 id, $3 how many, $4 only forged ones (true), none of them (false), or null
SELECT id, received_at, order_id, midtrans_transaction_id,
       left(raw_body ->> 'transaction_status', 64) AS transaction_status, is_verified, processed,
       processing_error, forged, attempts, repeats
  FROM payment_webhook_events
 WHERE (received_at, id) < (coalesce($1::timestamp, 'infinity'),
                            coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
   AND ($4::boolean IS NULL OR forged = $4)
 ORDER BY received_at DESC, id DESC
 LIMIT $3;

-- name: page_of_forged
-- $1 received, $2 id, $3 how many
SELECT id, received_at, order_id, midtrans_transaction_id,
       left(raw_body ->> 'transaction_status', 64) AS transaction_status, is_verified, processed,
       processing_error, forged, attempts, repeats
  FROM payment_webhook_events
 WHERE forged
   AND (received_at, id) < (coalesce($1::timestamp, 'infinity'),
                            coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
 ORDER BY received_at DESC, id DESC
 LIMIT $3;

-- name: page_of_failed
-- $1 received, $2 id, $3 how many
SELECT id, received_at, order_id, midtrans_transaction_id,
       left(raw_body ->> 'transaction_status', 64) AS transaction_status, is_verified, processed,
       processing_error, forged, attempts, repeats
  FROM payment_webhook_events
 WHERE NOT processed
   AND processing_error IS NOT NULL
   AND (received_at, id) < (coalesce($1::timestamp, 'infinity'),
                            coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
 ORDER BY received_at DESC, id DESC
 LIMIT $3;

-- name: page_of_order
-- $1 received, $2 id, $3 how many, $4 as in page, $5 order id, $6 only those set aside
SELECT id, received_at, order_id, midtrans_transaction_id,
       left(raw_body ->> 'transaction_status', 64) AS transaction_status, is_verified, processed,
       processing_error, forged, attempts, repeats
  FROM payment_webhook_events
 WHERE order_id = $5
   AND (NOT $6::boolean OR (NOT processed AND processing_error IS NOT NULL))
   AND ($4::boolean IS NULL OR forged = $4)
   AND (received_at, id) < (coalesce($1::timestamp, 'infinity'),
                            coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
 ORDER BY received_at DESC, id DESC
 LIMIT $3;
