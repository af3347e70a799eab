-- migrate:up
-- For a user's payments of a status that few of them have: among the newest of all those may be far between.
-- Settled, expired and open payments are never far, and are not in it.
CREATE INDEX payment_transactions_user_rare_index
  ON payment_transactions (user_id, status, created_at DESC, id DESC)
  WHERE status::text IN ('failure', 'deny', 'cancel', 'partial_refund', 'refund', 'partial_chargeback', 'chargeback');

-- migrate:down
DROP INDEX payment_transactions_user_rare_index;
