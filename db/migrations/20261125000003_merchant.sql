-- migrate:up
-- Whom to tell of changes. user_id null is told of every user's payments; it is not a reference, for the table
-- users may be an earlier service's. strikes are failures in a row.
CREATE TABLE merchant_endpoints (
  id uuid PRIMARY KEY,
  user_id bigint,
  url text NOT NULL,
  secret text NOT NULL,
  previous_secret text,
  previous_until timestamptz,
  allow_private boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  disabled_at timestamptz,
  disabled_because text,
  strikes integer NOT NULL DEFAULT 0,
  failing_since timestamptz,
  paused_until timestamptz NOT NULL DEFAULT '-infinity'
);

-- What they are told. The body is text, so that it is the same to the byte each time.
CREATE TABLE merchant_events (
  id uuid PRIMARY KEY,
  payment_id uuid NOT NULL REFERENCES payment_transactions (id),
  seq integer NOT NULL,
  type text NOT NULL,
  body text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (payment_id, seq, type)
);
CREATE INDEX merchant_events_created_index ON merchant_events (created_at);

-- Each event on its way to each endpoint. endpoint_id is not a reference: every change of a payment would lock
-- its endpoint's one row. Endpoints are disabled and never deleted.
CREATE TABLE merchant_deliveries (
  event_id uuid NOT NULL REFERENCES merchant_events (id) ON DELETE CASCADE,
  endpoint_id uuid NOT NULL,
  payment_id uuid NOT NULL,
  seq integer NOT NULL,
  queued_at timestamptz NOT NULL DEFAULT now(),
  due_at timestamptz NOT NULL DEFAULT now(),
  leased_until timestamptz NOT NULL DEFAULT '-infinity',
  attempts integer NOT NULL DEFAULT 0,
  refusals integer NOT NULL DEFAULT 0,
  first_attempted_at timestamptz,
  last_attempted_at timestamptz,
  delivered_at timestamptz,
  gave_up_at timestamptz,
  last_status integer,
  last_error text,
  PRIMARY KEY (event_id, endpoint_id)
);
CREATE INDEX merchant_deliveries_due_index ON merchant_deliveries (endpoint_id, due_at)
  WHERE delivered_at IS NULL AND gave_up_at IS NULL;
CREATE INDEX merchant_deliveries_order_index ON merchant_deliveries (endpoint_id, payment_id)
  WHERE delivered_at IS NULL AND gave_up_at IS NULL;
CREATE INDEX merchant_deliveries_leased_index ON merchant_deliveries (endpoint_id)
  WHERE leased_until > '-infinity';
CREATE INDEX merchant_deliveries_failed_index ON merchant_deliveries (gave_up_at)
  WHERE gave_up_at IS NOT NULL;

-- migrate:down
DO $$
BEGIN
  IF EXISTS (SELECT FROM merchant_events) OR EXISTS (SELECT FROM merchant_endpoints) THEN
    RAISE EXCEPTION 'merchant_events or merchant_endpoints has rows: not dropped';
  END IF;
END
$$;
DROP TABLE merchant_deliveries;
DROP TABLE merchant_events;
DROP TABLE merchant_endpoints;
