-- name: count
-- $1 order id or null for all
SELECT count(*)::int AS logs
  FROM payment_transactions p
 WHERE (p.log_length > 0 OR EXISTS (SELECT FROM payment_events e WHERE e.payment_id = p.id))
   AND ($1::text IS NULL OR p.order_id = $1);

-- name: chains
-- Also a payment whose entries are all gone: its own row still tells of them. proven is null for an entry that
-- no bytes prove, and false when those that it names are gone or others.
-- $1 order id or null for all
SELECT p.order_id, p.id, p.log_length, p.log_head, p.gross_amount, coalesce(p.payment_type, '') AS payment_type,
       p.status AS row_status, p.expires_at, p.midtrans_transaction_id, p.paid_at, p.late, p.refunded_amount,
       e.payment_id, e.seq, e.recorded_at, e.what, e.source, e.status, e.detail, e.digest,
       CASE WHEN e.detail ? 'evidence' THEN coalesce(sha256(e.evidence) = decode(e.detail ->> 'evidence', 'hex'), false)
       END AS proven
  FROM payment_transactions p
  LEFT JOIN payment_events e ON e.payment_id = p.id
 WHERE (p.log_length > 0 OR e.seq IS NOT NULL)
   AND ($1::text IS NULL OR p.order_id = $1)
 ORDER BY p.id, e.seq;
