-- migrate:up
ALTER TABLE payment_webhook_events
  ALTER COLUMN id SET DEFAULT gen_random_uuid(),
  ALTER COLUMN received_at SET DEFAULT (now() AT TIME ZONE 'utc'),
  ALTER COLUMN is_verified SET DEFAULT false,
  ALTER COLUMN processed SET DEFAULT false;

-- repeats counts deliveries of the same notification that were not stored any more; forged marks the rows of
-- ours that may be pruned; due_at is when the background work looks at an unprocessed one (again).
ALTER TABLE payment_webhook_events
  ADD COLUMN repeats integer NOT NULL DEFAULT 0,
  ADD COLUMN forged boolean NOT NULL DEFAULT false,
  ADD COLUMN attempts integer NOT NULL DEFAULT 0,
  ADD COLUMN due_at timestamptz NOT NULL DEFAULT now();

CREATE INDEX payment_webhook_events_due_index ON payment_webhook_events (due_at)
  WHERE is_verified AND NOT processed AND processing_error IS NULL;
CREATE INDEX payment_webhook_events_forged_index ON payment_webhook_events (received_at)
  WHERE forged;

-- migrate:down
DROP INDEX payment_webhook_events_forged_index;
DROP INDEX payment_webhook_events_due_index;
ALTER TABLE payment_webhook_events
  DROP COLUMN repeats,
  DROP COLUMN forged,
  DROP COLUMN attempts,
  DROP COLUMN due_at;
