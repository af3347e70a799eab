-- migrate:up
-- due_at is when the background work asks Midtrans about a payment; empty when there is nothing to ask.
-- unconfirmed_since is when a notification alone moved it. attended is what an operator has looked at, and
-- needs_attention whether anything else needs one.
ALTER TABLE payment_transactions
  ADD COLUMN due_at timestamptz,
  ADD COLUMN unconfirmed_since timestamptz,
  ADD COLUMN attended jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN needs_attention boolean NOT NULL DEFAULT false;

-- What is open now, and what ended so lately that its money may still come.
UPDATE payment_transactions
   SET due_at = now()
 WHERE paid_at IS NULL
   AND (status IN ('created', 'pending')
        OR (status IN ('failure', 'deny', 'expire', 'cancel') AND updated_at > now() - interval '7 days')
        OR status NOT IN ('created', 'failure', 'pending', 'deny', 'expire', 'cancel', 'settlement', 'capture',
                          'partial_refund', 'refund', 'partial_chargeback', 'chargeback'));
UPDATE payment_transactions
   SET needs_attention = true
 WHERE breaks <> '[]' OR (late AND status IN ('settlement', 'partial_refund'));

-- Of a row that does not say, Midtrans is asked at once.
ALTER TABLE payment_transactions
  ALTER COLUMN due_at SET DEFAULT now();

CREATE INDEX payment_transactions_due_index ON payment_transactions (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX payment_transactions_orphans_index ON payment_transactions (due_at) WHERE status = 'created';
CREATE INDEX payment_transactions_attention_index ON payment_transactions (updated_at DESC, id DESC)
  WHERE needs_attention;

-- What Midtrans sent, byte for byte, where it proved the entry; the entry's detail has its sha256.
ALTER TABLE payment_events ADD COLUMN evidence bytea;

-- What the background work may ask of Midtrans, for all processes: one row. It promises nothing, so it need
-- not survive a crash.
CREATE UNLOGGED TABLE midtrans_budget (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  tokens double precision NOT NULL,
  refilled_at timestamptz NOT NULL,
  failures integer NOT NULL DEFAULT 0,
  paused_until timestamptz NOT NULL DEFAULT '-infinity'
);

-- migrate:down
DO $$
BEGIN
  IF EXISTS (SELECT FROM payment_events WHERE evidence IS NOT NULL) THEN
    RAISE EXCEPTION 'payment_events has evidence: what Midtrans sent is not dropped';
  END IF;
END
$$;
DROP TABLE midtrans_budget;
ALTER TABLE payment_events DROP COLUMN evidence;
DROP INDEX payment_transactions_attention_index;
DROP INDEX payment_transactions_orphans_index;
DROP INDEX payment_transactions_due_index;
ALTER TABLE payment_transactions
  DROP COLUMN due_at,
  DROP COLUMN unconfirmed_since,
  DROP COLUMN attended,
  DROP COLUMN needs_attention;
