-- name: add
-- New payments with their first log rows, by column; one whose order id is taken does not come back.
-- $1 id, $2 user, $3 order id, $4 amount, $5 type, $6 status, $7 created, $8 expires, $9 callback,
-- $10 metadata, $11 log length, $12 log head, $13 when it is due, from now, $14 checkout token; $15.. the log rows
WITH added AS (
  INSERT INTO payment_transactions (
    id, user_id, order_id, gross_amount, payment_type, status, created_at, updated_at, expires_at,
    callback_url, metadata, log_length, log_head, due_at, checkout_token)
  SELECT n.id, n.user_id, n.order_id, n.gross_amount, n.payment_type, n.status, n.created_at, n.created_at,
         n.expires_at, n.callback_url, n.metadata::jsonb, n.log_length, n.log_head, now() + n.due_in, n.checkout_token
    FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::int[], $5::text[], $6::text[], $7::timestamptz[],
                $8::timestamptz[], $9::text[], $10::text[], $11::int[], $12::bytea[], $13::interval[], $14::text[])
           AS n (id, user_id, order_id, gross_amount, payment_type, status, created_at, expires_at, callback_url,
                 metadata, log_length, log_head, due_in, checkout_token)
  ON CONFLICT (order_id) DO NOTHING
  RETURNING id
), logged AS (
  INSERT INTO payment_events (payment_id, seq, recorded_at, what, source, status, detail, digest, evidence)
  SELECT e.payment_id, e.seq, e.recorded_at, e.what, e.source, e.status, e.detail::jsonb, e.digest, e.evidence
    FROM added
    JOIN unnest($15::uuid[], $16::int[], $17::timestamptz[], $18::text[], $19::text[], $20::text[], $21::text[],
                $22::bytea[], $23::bytea[])
           AS e (payment_id, seq, recorded_at, what, source, status, detail, digest, evidence)
      ON e.payment_id = added.id
)
SELECT id FROM added;

-- name: lock
-- $1 order id
SELECT id, user_id, order_id, gross_amount, payment_type, status, created_at, updated_at, expires_at, paid_at,
       charged_last_at, changed_at, now() AS read_at, checkout_token,
       late, refunded_amount, midtrans_transaction_id, midtrans_response_json, callback_url, metadata, breaks,
       unconfirmed_since, attended, log_length, log_head
  FROM payment_transactions
 WHERE order_id = $1
   FOR NO KEY UPDATE;

-- name: find
-- $1 order id
SELECT id, user_id, order_id, gross_amount, payment_type, status, created_at, updated_at, expires_at, paid_at,
       charged_last_at, changed_at, now() AS read_at, checkout_token,
       late, refunded_amount, midtrans_transaction_id, midtrans_response_json, callback_url, metadata, breaks,
       unconfirmed_since, attended, log_length, log_head
  FROM payment_transactions
 WHERE order_id = $1;

-- name: find_all
-- $1 order ids
SELECT id, user_id, order_id, gross_amount, payment_type, status, created_at, updated_at, expires_at, paid_at,
       charged_last_at, changed_at, now() AS read_at, checkout_token,
       late, refunded_amount, midtrans_transaction_id, midtrans_response_json, callback_url, metadata, breaks,
       unconfirmed_since, attended, log_length, log_head
  FROM payment_transactions
 WHERE order_id = ANY ($1::text[]);

-- name: lock_free
-- Those that nobody holds, and nobody waits; and whether there is anybody to tell of changes.
-- $1 order ids
SELECT id, user_id, order_id, gross_amount, payment_type, status, created_at, updated_at, expires_at, paid_at,
       charged_last_at, changed_at, now() AS read_at, checkout_token,
       late, refunded_amount, midtrans_transaction_id, midtrans_response_json, callback_url, metadata, breaks,
       unconfirmed_since, attended, log_length, log_head,
       EXISTS (SELECT FROM merchant_endpoints WHERE disabled_at IS NULL) AS is_anybody_told
  FROM payment_transactions
 WHERE order_id = ANY ($1::text[])
   FOR NO KEY UPDATE SKIP LOCKED;

-- name: save
-- Changes with their log rows, by column; a payment whose transaction id belongs to another one does not come back.
-- $1 id, $2 status, $3 transaction id, $4 answer, $5 updated, $6 paid, $7 late, $8 refunded, $9 breaks,
-- $10 log length, $11 log head, $12 unconfirmed since, $13 attended, $14 whether it needs a person,
-- $15 when it is due, from now; $16.. the log rows; $25.. what the shop is told of it, which is kept where an
-- endpoint is there to be told
WITH saved AS (
  UPDATE payment_transactions p
     SET status = c.status, midtrans_transaction_id = c.transaction_id, updated_at = c.updated_at,
         midtrans_response_json = coalesce(p.midtrans_response_json, c.answer::jsonb), paid_at = c.paid_at,
         late = c.late, refunded_amount = c.refunded_amount, breaks = c.breaks::jsonb, log_length = c.log_length,
         log_head = c.log_head, unconfirmed_since = c.unconfirmed_since, attended = c.attended::jsonb,
         needs_attention = c.needs_attention, changed_at = now(), due_at = now() + c.due_in
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
                $7::boolean[], $8::int[], $9::text[], $10::int[], $11::bytea[], $12::timestamptz[], $13::text[],
                $14::boolean[], $15::interval[])
           AS c (id, status, transaction_id, answer, updated_at, paid_at, late, refunded_amount, breaks,
                 log_length, log_head, unconfirmed_since, attended, needs_attention, due_in)
   WHERE p.id = c.id
     AND (p.midtrans_transaction_id IS NOT DISTINCT FROM c.transaction_id
          OR NOT EXISTS (SELECT FROM payment_transactions other
                          WHERE other.midtrans_transaction_id = c.transaction_id AND other.id <> c.id))
  RETURNING p.id, p.user_id
), logged AS (
  INSERT INTO payment_events (payment_id, seq, recorded_at, what, source, status, detail, digest, evidence)
  SELECT e.payment_id, e.seq, e.recorded_at, e.what, e.source, e.status, e.detail::jsonb, e.digest, e.evidence
    FROM saved
    JOIN unnest($16::uuid[], $17::int[], $18::timestamptz[], $19::text[], $20::text[], $21::text[], $22::text[],
                $23::bytea[], $24::bytea[])
           AS e (payment_id, seq, recorded_at, what, source, status, detail, digest, evidence)
      ON e.payment_id = saved.id
), listening AS (
  SELECT saved.id AS payment_id, endpoint.id AS endpoint_id
    FROM saved
    JOIN merchant_endpoints endpoint
      ON endpoint.disabled_at IS NULL AND (endpoint.user_id IS NULL OR endpoint.user_id = saved.user_id)
), told AS (
  INSERT INTO merchant_events (id, payment_id, seq, type, body)
  SELECT n.id, n.payment_id, n.seq, n.type, n.body
    FROM unnest($25::uuid[], $26::uuid[], $27::int[], $28::text[], $29::text[])
         AS n (id, payment_id, seq, type, body)
   WHERE n.payment_id IN (SELECT payment_id FROM listening)
  RETURNING id, payment_id, seq
), queued AS (
  INSERT INTO merchant_deliveries (event_id, endpoint_id, payment_id, seq)
  SELECT told.id, listening.endpoint_id, told.payment_id, told.seq
    FROM told
    JOIN listening ON listening.payment_id = told.payment_id
)
SELECT id FROM saved;

-- name: charge_again
-- No row comes back when sending for 25 s from now could be over four minutes after the first time, nor after the
-- payment's end, by this clock and no process's; rows of an earlier service may have none.
-- $1 id
UPDATE payment_transactions
   SET charged_last_at = now()
 WHERE id = $1
   AND charged_first_at > now() - interval '215 seconds'
   AND status IN ('created', 'pending')
   AND (expires_at IS NULL OR expires_at > now())
RETURNING id;

-- name: charge_anew
-- No row comes back when the payment is over, by its status or its end, or must not be charged again.
-- $1 id
UPDATE payment_transactions
   SET charged_first_at = now(), charged_last_at = now()
 WHERE id = $1
   AND status = 'created'
   AND charged_first_at > '-infinity'
   AND (expires_at IS NULL OR expires_at > now())
RETURNING id;

-- name: never_charge_again
-- Once its charge is being cancelled the order id is free again at Midtrans, and would be charged twice.
-- No row comes back when it was so before.
-- $1 id
UPDATE payment_transactions
   SET charged_first_at = '-infinity'
 WHERE id = $1 AND charged_first_at > '-infinity'
RETURNING id;

-- name: take_turn
-- One question to Midtrans per payment and while, over all processes.
-- $1 id, $2 seconds
UPDATE payment_transactions
   SET asked_at = now()
 WHERE id = $1
   AND (asked_at IS NULL OR asked_at <= now() - make_interval(secs => $2))
RETURNING id;

-- name: take_due
-- Those that are due, the longest first, for this caller alone; who dies with them loses them after a while.
-- Orphans, which are few, go first: after an outage they do not wait behind all that is overdue by then.
-- $1 how many
WITH orphans AS (
  SELECT id
    FROM payment_transactions
   WHERE status = 'created'
     AND due_at <= now()
     AND (asked_at IS NULL OR asked_at <= now() - interval '10 seconds')
   ORDER BY due_at
   LIMIT $1
     FOR NO KEY UPDATE SKIP LOCKED
), others AS (
  SELECT id
    FROM payment_transactions
   WHERE status IS DISTINCT FROM 'created'
     AND due_at <= now()
     AND (asked_at IS NULL OR asked_at <= now() - interval '10 seconds')
   ORDER BY due_at
   LIMIT $1
     FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE payment_transactions p
   SET due_at = now() + interval '55 seconds', asked_at = now()
  FROM (SELECT id FROM orphans UNION ALL SELECT id FROM others LIMIT $1) due
 WHERE p.id = due.id
RETURNING p.order_id;

-- name: any_due
-- The longest due is looked for, not any: of any, a planner that believes there are many reads the whole table.
SELECT count(*) > 0 AS found
  FROM (SELECT
          FROM payment_transactions
         WHERE due_at <= now()
           AND (asked_at IS NULL OR asked_at <= now() - interval '10 seconds')
         ORDER BY due_at
         LIMIT 1) first;

-- name: put_off
-- $1 id, $2 for how long; null for ever
UPDATE payment_transactions
   SET due_at = now() + $2::interval
 WHERE id = $1;

-- name: attention
-- $1 how many
SELECT id, user_id, order_id, gross_amount, payment_type, status, created_at, updated_at, expires_at, paid_at,
       charged_last_at, changed_at, now() AS read_at, checkout_token,
       late, refunded_amount, midtrans_transaction_id, midtrans_response_json, callback_url, metadata, breaks,
       unconfirmed_since, attended, log_length, log_head
  FROM payment_transactions
 WHERE needs_attention
 ORDER BY updated_at DESC, id DESC
 LIMIT $1;

-- name: page_of_user
-- Newest first, after the place ($3, $4) if one is given.
-- $1 user, $2 status or null, $3 created, $4 id, $5 how many
SELECT id, user_id, order_id, gross_amount, payment_type, status, created_at, updated_at, expires_at, paid_at,
       charged_last_at, changed_at, now() AS read_at, checkout_token,
       late, refunded_amount, midtrans_transaction_id, midtrans_response_json, callback_url, metadata, breaks,
       unconfirmed_since, attended, log_length, log_head
  FROM payment_transactions
 WHERE user_id = $1
   AND ($2::text IS NULL OR status = $2)
   AND (created_at, id) < (coalesce($3::timestamptz, 'infinity'),
                           coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
 ORDER BY created_at DESC, id DESC
 LIMIT $5;

-- name: page_of_all
-- $1 status or null, $2 created, $3 id, $4 how many
SELECT id, user_id, order_id, gross_amount, payment_type, status, created_at, updated_at, expires_at, paid_at,
       charged_last_at, changed_at, now() AS read_at, checkout_token,
       late, refunded_amount, midtrans_transaction_id, midtrans_response_json, callback_url, metadata, breaks,
       unconfirmed_since, attended, log_length, log_head
  FROM payment_transactions
 WHERE ($1::text IS NULL OR status = $1)
   AND (created_at, id) < (coalesce($2::timestamptz, 'infinity'),
                           coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
 ORDER BY created_at DESC, id DESC
 LIMIT $4;

-- name: log
-- A time that somebody edited to what nobody can read is shown as another one.
-- $1 payment id
SELECT payment_id, seq, greatest(least(recorded_at, '9999-12-31'), '0001-01-02') AS recorded_at, what, source, status, detail, digest, evidence
  FROM payment_events
 WHERE payment_id = $1
 ORDER BY seq;

-- name: take_create
-- Counts creates, one for each time that a user is named; the number in that user's running minute, and the
-- seconds until the next minute. In one order, so that no two callers wait for each other.
-- $1 users
INSERT INTO payment_create_rates AS rate (user_id, window_started_at, created)
SELECT n.user_id, now(), count(*)
  FROM unnest($1::bigint[]) AS n (user_id)
 GROUP BY n.user_id
 ORDER BY n.user_id
ON CONFLICT (user_id) DO UPDATE
   SET window_started_at =
         CASE WHEN rate.window_started_at <= now() - interval '1 minute' THEN now() ELSE rate.window_started_at END,
       created =
         CASE WHEN rate.window_started_at <= now() - interval '1 minute' THEN 0 ELSE rate.created END
         + excluded.created
RETURNING user_id, created,
          ceil(extract(epoch FROM window_started_at + interval '1 minute' - now()))::int AS seconds_left;
