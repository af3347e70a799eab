-- migrate:up
-- When a payment changed here last, by the database's clock: ``updated_at`` is by a process's, and an earlier
-- service's table may have a trigger that sets it. One that has none counts as not changed since it was created,
-- so those that will be asked about get what is known; of the others nothing goes by it.
ALTER TABLE payment_transactions ADD COLUMN changed_at timestamptz;
ALTER TABLE payment_transactions ALTER COLUMN changed_at SET DEFAULT now();
UPDATE payment_transactions SET changed_at = least(updated_at, now()) WHERE due_at IS NOT NULL;

-- migrate:down
ALTER TABLE payment_transactions DROP COLUMN changed_at;
