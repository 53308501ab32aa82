-- Work left after a deletion.

-- name: in_calls()
-- Users who took a seat while they were being deleted.
select user_id::text from live_seats join users using (user_id) where deleted_at is not null;

-- name: unfinished(since)
-- Recently deleted users: erased again, for rows written concurrently.
select user_id::text from users where deleted_at > :since;
