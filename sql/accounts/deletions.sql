-- Somebody deletes their profile.

-- name: in_calls()
-- Those who took a seat while they were being deleted.
select user_id::text from live_seats join users using (user_id) where deleted_at is not null;

-- name: unfinished(since)
-- Deleted lately: gone over once more, for what was under way at that moment.
select user_id::text from users where deleted_at > :since;
