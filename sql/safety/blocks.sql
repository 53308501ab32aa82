-- Blocks. One row has effect in both directions.

-- name: block(blocker_id, blocked_id, now)
-- No effect for an unknown user, with the same answer.
insert into blocks (blocker_id, blocked_id, created_at)
select :blocker_id, user_id, coalesce(:now::timestamptz, clock_timestamp())
from users
where user_id = :blocked_id and deleted_at is null
on conflict do nothing
returning blocked_id::text;

-- name: unblock(blocker_id, blocked_id)
delete from blocks where blocker_id = :blocker_id and blocked_id = :blocked_id returning blocked_id::text;

-- name: is_hidden(one_id, other_id)
-- Another block or a report may still hide the two from each other.
select exists (
    select from blocks where (blocker_id, blocked_id) in ((:one_id, :other_id), (:other_id, :one_id))
    union all
    select from reports where (reporter_id, reported_id) in ((:one_id, :other_id), (:other_id, :one_id))
);

-- name: blocked_among(blocker_id, user_ids)
select blocked_id::text from blocks where blocker_id = :blocker_id and blocked_id = any(:user_ids::uuid[]);

-- name: since(since)
-- Prepared.
select blocker_id::text as one_id, blocked_id::text as other_id from blocks where created_at > :since;
