-- name: count
-- $1 order id or null for all
SELECT count(*)::int AS logs
  FROM payment_transactions p
 WHERE (p.log_length <> 0 OR EXISTS (SELECT FROM payment_events e WHERE e.payment_id = p.id))
   AND ($1::text IS NULL OR p.order_id = $1);

-- name: chains
-- Also a payment whose entries are all gone: its own row still tells of them. proven is null for an entry that
-- names no bytes and has none, and false when those that it has are not those that it names. Whatever somebody
-- edited, nothing here may fail: it would hide all other edits. So a time that nobody can read is another one.
-- $1 order id or null for all
SELECT p.order_id, p.id, p.log_length, p.log_head, p.gross_amount, coalesce(p.payment_type, '') AS payment_type,
       p.status AS row_status, p.midtrans_transaction_id, p.late, p.refunded_amount,
       CASE WHEN p.expires_at IS NOT NULL THEN greatest(least(p.expires_at, '9999-12-31'), '0001-01-02') END AS expires_at,
       CASE WHEN p.paid_at IS NOT NULL THEN greatest(least(p.paid_at, '9999-12-31'), '0001-01-02') END AS paid_at,
       e.payment_id, e.seq, greatest(least(e.recorded_at, '9999-12-31'), '0001-01-02') AS recorded_at, e.what,
       e.source, e.status, e.detail, e.digest,
       CASE WHEN e.detail ? 'evidence' OR e.evidence IS NOT NULL
            THEN coalesce(encode(sha256(e.evidence), 'hex') = e.detail ->> 'evidence', false)
       END AS proven
  FROM payment_transactions p
  LEFT JOIN payment_events e ON e.payment_id = p.id
 WHERE (p.log_length <> 0 OR e.seq IS NOT NULL)
   AND ($1::text IS NULL OR p.order_id = $1)
 ORDER BY p.id, e.seq;
