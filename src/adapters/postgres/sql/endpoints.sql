-- name: add
-- $1 id, $2 user or null, $3 address, $4 secret, $5 whether private addresses are allowed, $6 created
INSERT INTO merchant_endpoints (id, user_id, url, secret, allow_private, created_at)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: page
SELECT id, user_id, url, secret, allow_private, created_at, disabled_at, disabled_because,
       CASE WHEN previous_until > now() THEN previous_secret END AS previous_secret,
       failing_since,
       CASE WHEN paused_until > now() THEN paused_until END AS paused_until
  FROM merchant_endpoints
 ORDER BY created_at, id;

-- name: rotate
-- $1 id, $2 secret
UPDATE merchant_endpoints
   SET previous_secret = secret, previous_until = now() + interval '24 hours', secret = $2
 WHERE id = $1
RETURNING id;

-- name: disable
-- The first reason stays, but for what the endpoint said itself.
-- $1 id, $2 why, $3 that it is gone
UPDATE merchant_endpoints
   SET disabled_because = CASE WHEN disabled_at IS NULL OR disabled_because = $3 THEN $2 ELSE disabled_because END,
       disabled_at = coalesce(disabled_at, now())
 WHERE id = $1
RETURNING id;

-- name: enable
-- $1 id
WITH enabled AS (
  UPDATE merchant_endpoints
     SET disabled_at = NULL, disabled_because = NULL, strikes = 0, failing_since = NULL, paused_until = '-infinity'
   WHERE id = $1
  RETURNING id
), waiting AS (
  UPDATE merchant_deliveries d
     SET queued_at = now(), due_at = now(), refusals = 0, first_attempted_at = NULL
    FROM enabled
   WHERE d.endpoint_id = enabled.id AND d.delivered_at IS NULL AND d.gave_up_at IS NULL
)
SELECT id FROM enabled;

-- name: keep_of_settings
-- $1 id, $2 address, $3 secret, $4 whether private addresses are allowed
INSERT INTO merchant_endpoints AS e (id, url, secret, allow_private)
VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE
   SET url = $2,
       secret = $3,
       allow_private = $4,
       previous_secret = CASE WHEN e.secret <> $3 THEN e.secret ELSE e.previous_secret END,
       previous_until = CASE WHEN e.secret <> $3 THEN now() + interval '24 hours' ELSE e.previous_until END,
       disabled_at = CASE WHEN e.url <> $2 OR e.disabled_because = $5 THEN NULL ELSE e.disabled_at END,
       disabled_because = CASE WHEN e.url <> $2 OR e.disabled_because = $5 THEN NULL ELSE e.disabled_because END,
       strikes = CASE WHEN e.url <> $2 THEN 0 ELSE e.strikes END,
       failing_since = CASE WHEN e.url <> $2 THEN NULL ELSE e.failing_since END,
       paused_until = CASE WHEN e.url <> $2 THEN '-infinity' ELSE e.paused_until END
RETURNING id, user_id, url, secret, allow_private, created_at, disabled_at, disabled_because,
          CASE WHEN previous_until > now() THEN previous_secret END AS previous_secret,
          failing_since,
          CASE WHEN paused_until > now() THEN paused_until END AS paused_until;

-- name: drop_of_settings
-- No row comes back when it is not there, or is disabled already.
-- $1 id, $2 why
UPDATE merchant_endpoints
   SET disabled_at = now(), disabled_because = $2
 WHERE id = $1 AND disabled_at IS NULL
RETURNING id;
