-- migrate:up
-- What an adopted table may lack: the defaults that the service relies on.
ALTER TABLE payment_transactions
  ALTER COLUMN id SET DEFAULT gen_random_uuid(),
  ALTER COLUMN created_at SET DEFAULT now(),
  ALTER COLUMN updated_at SET DEFAULT now();

UPDATE payment_transactions
   SET created_at = coalesce(created_at, updated_at, paid_at, now()),
       updated_at = coalesce(updated_at, created_at, paid_at, now())
 WHERE created_at IS NULL OR updated_at IS NULL;

-- Rows that were there before keep expires_at empty: their life is in the answer to their charge.
ALTER TABLE payment_transactions
  ADD COLUMN expires_at timestamptz,
  ADD COLUMN late boolean NOT NULL DEFAULT false,
  ADD COLUMN refunded_amount integer NOT NULL DEFAULT 0,
  ADD COLUMN callback_url text,
  ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN breaks jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN asked_at timestamptz,
  ADD COLUMN log_length integer NOT NULL DEFAULT 0,
  ADD COLUMN log_head bytea NOT NULL DEFAULT '';
ALTER TABLE payment_transactions
  ALTER COLUMN expires_at SET DEFAULT now() + interval '15 minutes';

CREATE INDEX payment_transactions_user_newest_index
  ON payment_transactions (user_id, created_at DESC, id DESC);
CREATE INDEX payment_transactions_newest_index ON payment_transactions (created_at DESC, id DESC);

-- The evidence log. A row's digest covers the row and the digest before it.
CREATE TABLE payment_events (
  payment_id uuid NOT NULL REFERENCES payment_transactions (id),
  seq integer NOT NULL,
  recorded_at timestamptz NOT NULL,
  what text NOT NULL,
  source text NOT NULL,
  status text NOT NULL,
  detail jsonb NOT NULL,
  digest bytea NOT NULL,
  PRIMARY KEY (payment_id, seq)
);

-- Creates per user in the running minute. It promises nothing, so it need not survive a crash.
CREATE UNLOGGED TABLE payment_create_rates (
  user_id bigint PRIMARY KEY,
  window_started_at timestamptz NOT NULL,
  created integer NOT NULL
);

-- migrate:down
DO $$
BEGIN
  IF EXISTS (SELECT FROM payment_events) THEN
    RAISE EXCEPTION 'payment_events has rows: the evidence log is not dropped';
  END IF;
END
$$;
DROP TABLE payment_create_rates;
DROP TABLE payment_events;
DROP INDEX payment_transactions_newest_index;
DROP INDEX payment_transactions_user_newest_index;
ALTER TABLE payment_transactions
  DROP COLUMN expires_at,
  DROP COLUMN late,
  DROP COLUMN refunded_amount,
  DROP COLUMN callback_url,
  DROP COLUMN metadata,
  DROP COLUMN breaks,
  DROP COLUMN asked_at,
  DROP COLUMN log_length,
  DROP COLUMN log_head;
