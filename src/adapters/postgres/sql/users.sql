-- name: exists
-- $1 user id
SELECT EXISTS (SELECT FROM users WHERE id = $1) AS found;

-- name: add_with_id
-- No row comes back when the id is taken.
-- $1 user id
INSERT INTO users (id)
VALUES ($1)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: add
-- The table's own counter gives the id; no row comes back when it met one that was given by hand.
INSERT INTO users DEFAULT VALUES
ON CONFLICT DO NOTHING
RETURNING id;

-- name: page
-- $1 how many
SELECT id FROM users ORDER BY id LIMIT $1;
