-- name: find
-- The payment that a checkout token belongs to. It ended with the first log row after the last that says open:
-- the log tells it also of changes that the release before made.
-- $1 token
SELECT id, user_id, order_id, gross_amount, payment_type, status, created_at, updated_at, expires_at, paid_at,
       charged_last_at, changed_at, now() AS read_at, checkout_token,
       late, refunded_amount, midtrans_transaction_id, midtrans_response_json, callback_url, metadata, breaks,
       unconfirmed_since, attended, log_length, log_head,
       (SELECT min(recorded_at)
          FROM payment_events
         WHERE payment_id = payment_transactions.id
           AND seq > (SELECT coalesce(max(seq), 0)
                        FROM payment_events
                       WHERE payment_id = payment_transactions.id AND status IN ('created', 'pending'))) AS ended_at
  FROM payment_transactions
 WHERE checkout_token = $1;

-- name: since
-- Of the payments that somebody follows, those that changed.
-- $1 ids, $2 the length of each one's log as seen
SELECT id, user_id, order_id, gross_amount, payment_type, status, created_at, updated_at, expires_at, paid_at,
       charged_last_at, changed_at, now() AS read_at, checkout_token,
       late, refunded_amount, midtrans_transaction_id, midtrans_response_json, callback_url, metadata, breaks,
       unconfirmed_since, attended, log_length, log_head
  FROM payment_transactions
  JOIN unnest($1::uuid[], $2::int[]) AS seen (payment_id, entries) ON id = payment_id
 WHERE log_length > entries;
