-- migrate:up
-- What an adopted table may lack where its columns could be empty: every condition on an empty one is neither true
-- nor false, and passes the row by. A notification of which nobody said that it was done is still to do, which at
-- worst costs a question to Midtrans; one of which nobody said that it was verified is not.
UPDATE payment_webhook_events
   SET processed = coalesce(processed, false), is_verified = coalesce(is_verified, false)
 WHERE processed IS NULL OR is_verified IS NULL;

-- When it came nobody knows. Now, it is listed first, kept as long as any other that came today, and if a replay
-- finds money in it, that did not come in 1970.
UPDATE payment_webhook_events
   SET received_at = now() AT TIME ZONE 'utc'
 WHERE received_at IS NULL;

-- Shown as pending, and so to be asked about like what is.
UPDATE payment_transactions
   SET due_at = now()
 WHERE status IS NULL AND paid_at IS NULL AND due_at IS NULL;

-- migrate:down
-- Nothing: what was filled in is what an empty one meant, and nobody knows any more which were empty.
SELECT;
