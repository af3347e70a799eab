-- name: make
INSERT INTO midtrans_budget (tokens, refilled_at)
VALUES (0, now() - interval '1 second')
ON CONFLICT (singleton) DO NOTHING;

-- name: lock
SELECT tokens, extract(epoch FROM clock_timestamp() - refilled_at)::double precision AS seconds, failures,
       paused_until > clock_timestamp() AS is_paused
  FROM midtrans_budget
   FOR UPDATE;

-- name: spend
-- $1 tokens left, $2 whether the next ones wait for the answer, $3 how long at most
UPDATE midtrans_budget
   SET tokens = $1, refilled_at = clock_timestamp(),
       paused_until = CASE WHEN $2 THEN clock_timestamp() + $3::interval ELSE paused_until END;

-- name: silent
-- $1 failures in a row, $2 pause
UPDATE midtrans_budget
   SET failures = $1, paused_until = clock_timestamp() + $2::interval;

-- name: answered
UPDATE midtrans_budget
   SET failures = 0, paused_until = '-infinity'
 WHERE failures > 0;
