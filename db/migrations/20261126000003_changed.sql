-- migrate:up
-- When a payment changed here last, by the database's clock: ``updated_at`` is by a process's, and an earlier
-- service's table may have a trigger that sets it. An empty one has not changed since it was created.
ALTER TABLE payment_transactions ADD COLUMN changed_at timestamptz;

-- migrate:down
ALTER TABLE payment_transactions DROP COLUMN changed_at;
