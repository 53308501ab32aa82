-- Contacts are shared by both users or by neither.

-- name: lock_call(call_id)!
-- Serialises the answers of both sides. A separate statement, so that the next one sees what the other side has written.
select pg_advisory_xact_lock(hashtextextended('contacts ' || :call_id, 0));

-- name: say(call_id, user_id, is_yes, window_seconds, now)!
-- Stores an answer, for a call of the user, within the window. It can be changed until the contacts are shared.
insert into contacts (call_id, user_id, is_yes, said_at)
select call_id, :user_id, :is_yes, at
from calls, coalesce(:now::timestamptz, clock_timestamp()) as at
where call_id = :call_id and (caller_id = :user_id or callee_id = :user_id)
    and (ended_at is null or ended_at + :window_seconds * interval '1 second' > at)
on conflict (call_id, user_id) do update set is_yes = excluded.is_yes, said_at = excluded.said_at
where contacts.handles is null;

-- name: share(call_id)
-- Copies the handles of both, once, if both have agreed and there is no block or report between them.
update contacts set handles = users.handles
from users
where contacts.call_id = :call_id and users.user_id = contacts.user_id and contacts.handles is null
    and 2 = (select count(*) from contacts both_sides where both_sides.call_id = :call_id and both_sides.is_yes)
    and not exists (
        select from calls join blocks on (blocker_id, blocked_id) in ((caller_id, callee_id), (callee_id, caller_id))
        where calls.call_id = :call_id
    )
    and not exists (
        select from calls join reports on (reporter_id, reported_id) in ((caller_id, callee_id), (callee_id, caller_id))
        where calls.call_id = :call_id
    )
returning contacts.user_id::text, contacts.handles;

-- name: shared_with(user_id, call_ids)
-- What the other users of these calls have shared with this user; not from deleted users.
select contacts.call_id::text, contacts.handles
from contacts
join users on users.user_id = contacts.user_id and users.deleted_at is null
where contacts.call_id = any(:call_ids::uuid[]) and contacts.user_id <> :user_id and contacts.handles is not null
    and exists (select from contacts mine where mine.call_id = contacts.call_id and mine.user_id = :user_id);
