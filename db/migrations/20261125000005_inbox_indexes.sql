-- migrate:up
-- For listing the stored notifications newest first, for those that are set aside, and for pruning the oldest.
CREATE INDEX payment_webhook_events_newest_index ON payment_webhook_events (received_at, id);
CREATE INDEX payment_webhook_events_failed_index ON payment_webhook_events (received_at, id)
  WHERE NOT processed AND processing_error IS NOT NULL;

-- migrate:down
DROP INDEX payment_webhook_events_failed_index;
DROP INDEX payment_webhook_events_newest_index;
