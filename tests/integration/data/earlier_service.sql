-- The schema of a hand-written service that was here before, with what it left.
CREATE TABLE users (id bigserial PRIMARY KEY, email text);
CREATE TABLE payment_transactions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id bigint NOT NULL REFERENCES users (id),
  order_id varchar(64) NOT NULL UNIQUE,
  gross_amount integer NOT NULL,
  payment_type varchar(32) NOT NULL,
  status varchar(32) NOT NULL,
  midtrans_transaction_id varchar(64) UNIQUE,
  midtrans_response_json jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  paid_at timestamptz);
CREATE INDEX payment_transactions_user_id_index ON payment_transactions (user_id);
CREATE INDEX payment_transactions_status_index ON payment_transactions (status);
CREATE TABLE payment_webhook_events (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  received_at timestamp NOT NULL DEFAULT now(),
  order_id varchar(64),
  midtrans_transaction_id varchar(64),
  raw_body jsonb NOT NULL,
  signature_key varchar(255),
  is_verified boolean NOT NULL DEFAULT false,
  processed boolean NOT NULL DEFAULT false,
  processing_error text);
CREATE INDEX payment_webhook_events_order_id_index ON payment_webhook_events (order_id);
CREATE INDEX payment_webhook_events_midtrans_transaction_id_index ON payment_webhook_events (midtrans_transaction_id);

-- A user table as it grows: columns that this service knows nothing of, one of them demanded.
ALTER TABLE users
  ADD COLUMN full_name text NOT NULL,
  ADD COLUMN preferences jsonb NOT NULL DEFAULT '{}';
INSERT INTO users (id, email, full_name) VALUES
  (7, 'siti@shop.example', 'Siti'),
  (8, NULL, 'Budi');
SELECT setval('users_id_seq', 8);

INSERT INTO payment_transactions VALUES
  ('00000000-0000-7000-8000-000000000001', 7, 'earlier-pending', 25000, 'gopay', 'pending', 'e48447d1-cfa9-4b02-b163-2e915d4417ac',
   '{"status_code": "201", "order_id": "earlier-pending", "transaction_id": "e48447d1-cfa9-4b02-b163-2e915d4417ac", "gross_amount": "25000.00", "transaction_status": "pending", "expiry_time": "2026-02-06 10:30:00",
     "actions": [{"name": "generate-qr-code", "method": "GET", "url": "https://api.sandbox.midtrans.com/v2/gopay/e48447d1-cfa9-4b02-b163-2e915d4417ac/qr-code"}]}',
   '2026-02-06 03:00:00+00', '2026-02-06 03:00:01+00', NULL),
  ('00000000-0000-7000-8000-000000000002', 7, 'earlier-settlement', 10000, 'qris', 'settlement', '0d5ec2ba-4a0e-4ad7-b0ba-8f9e0d6b1d5f',
   '{"status_code": "201"}', '2026-02-05 03:00:00+00', '2026-02-05 03:05:00+00', '2026-02-05 03:05:00+00'),
  ('00000000-0000-7000-8000-000000000003', 8, 'earlier-without-an-answer', 10000, 'gopay', 'PENDING', NULL,
   NULL, '2026-02-06 03:00:00+00', '2026-02-06 03:00:00+00', NULL),
  ('00000000-0000-7000-8000-000000000004', 8, 'earlier-word-of-its-own', 10000, 'gopay', 'waiting', NULL,
   '"timeout"', '2026-02-06 03:00:00+00', '2026-02-06 03:00:00+00', NULL);

INSERT INTO payment_webhook_events VALUES
  ('00000000-0000-7000-8000-000000000011', '2026-02-05 03:05:00', 'earlier-settlement', '0d5ec2ba-4a0e-4ad7-b0ba-8f9e0d6b1d5f',
   '{"transaction_status": "settlement", "status_code": "200"}', 'signature', true, true, NULL),
  ('00000000-0000-7000-8000-000000000012', '2026-02-06 03:01:00', 'earlier-pending', NULL,
   '{"transaction_status": "settlement"}', NULL, false, false, 'bad signature'),
  ('00000000-0000-7000-8000-000000000013', '2026-02-06 03:02:00', NULL, NULL, '[]', NULL, false, false, NULL);
