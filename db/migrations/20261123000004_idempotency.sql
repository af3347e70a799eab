-- migrate:up
-- When the charge was first and last sent, by the database's clock: Midtrans keeps a charge's key for five minutes.
ALTER TABLE payment_transactions
  ADD COLUMN charged_first_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN charged_last_at timestamptz NOT NULL DEFAULT now();

-- One row per Idempotency-Key of a user, written with its payment. finished says that the outcome is known;
-- until then whoever holds the lease (a call's own uuid) works on it, and the next call after that takes it over. uncharged says
-- that certainly no attempt was taken so far.
CREATE TABLE payment_idempotency_keys (
  user_id bigint NOT NULL,
  key text NOT NULL,
  fingerprint bytea NOT NULL,
  payment_id uuid NOT NULL REFERENCES payment_transactions (id) DEFERRABLE INITIALLY DEFERRED,
  created_at timestamptz NOT NULL DEFAULT now(),
  leased_until timestamptz NOT NULL,
  lease uuid,
  uncharged boolean NOT NULL DEFAULT false,
  finished boolean NOT NULL DEFAULT false,
  gateway_code text,
  gateway_message text,
  lost boolean NOT NULL DEFAULT false,
  PRIMARY KEY (user_id, key)
);
CREATE INDEX payment_idempotency_keys_created_index ON payment_idempotency_keys (created_at);

-- migrate:down
DO $$
BEGIN
  IF EXISTS (SELECT FROM payment_idempotency_keys) THEN
    RAISE EXCEPTION 'payment_idempotency_keys has rows: keys are not dropped';
  END IF;
END
$$;
DROP TABLE payment_idempotency_keys;
ALTER TABLE payment_transactions
  DROP COLUMN charged_first_at,
  DROP COLUMN charged_last_at;
