-- migrate:up
-- What opens a payment's checkout page. Payments of an earlier service, and of the release before, have none.
ALTER TABLE payment_transactions ADD COLUMN checkout_token text;
CREATE UNIQUE INDEX payment_transactions_checkout_token_index ON payment_transactions (checkout_token)
  WHERE checkout_token IS NOT NULL;

-- migrate:down
DO $$
BEGIN
  IF EXISTS (SELECT FROM payment_transactions WHERE checkout_token IS NOT NULL) THEN
    RAISE EXCEPTION 'a payment has a checkout_token: checkout tokens are not dropped';
  END IF;
END
$$;
DROP INDEX payment_transactions_checkout_token_index;
ALTER TABLE payment_transactions DROP COLUMN checkout_token;
