-- migrate:up
-- One row per refund, written before Midtrans is asked; its id is the refund_key there. user_id is who asked, 0 for
-- an operator; attempts counts how often it was taken up, and fences the tries. Whoever is at it has it until
-- leased_until; the background work looks at it from due_at on, and never when that is null. requested_at is when its
-- key came to Midtrans first, by the database's clock: it is taken there for seven days.
CREATE TABLE payment_refunds (
  id uuid PRIMARY KEY,
  payment_id uuid NOT NULL REFERENCES payment_transactions (id),
  user_id bigint NOT NULL,
  key text NOT NULL,
  fingerprint bytea NOT NULL,
  transaction text NOT NULL,
  amount integer NOT NULL CHECK (amount > 0),
  reason text,
  status text NOT NULL DEFAULT 'requested' CHECK (status IN ('requested', 'accepted', 'refused', 'not_sent')),
  attempts integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  accepted_at timestamptz,
  confirmed_at timestamptz,
  gateway_code text,
  gateway_message text,
  requested_at timestamptz NOT NULL DEFAULT now(),
  leased_until timestamptz NOT NULL,
  due_at timestamptz,
  UNIQUE (user_id, key),
  CHECK ((status = 'accepted') = (accepted_at IS NOT NULL)),
  CHECK (confirmed_at IS NULL OR status = 'accepted')
);
CREATE INDEX payment_refunds_payment_index ON payment_refunds (payment_id);
CREATE INDEX payment_refunds_due_index ON payment_refunds (due_at) WHERE due_at IS NOT NULL;

-- migrate:down
DO $$
BEGIN
  IF EXISTS (SELECT FROM payment_refunds) THEN
    RAISE EXCEPTION 'payment_refunds has rows: refunds are not dropped';
  END IF;
END
$$;
DROP TABLE payment_refunds;
