-- name: find(call_id)
select * from calls where call_id = :call_id;

-- name: live_of(user_id)
-- Prepared.
select call_id from live_seats where user_id = :user_id;

-- name: advance(call_id, version, state, remaining_ms, connect_by, connected_at, caller_up, callee_up, caller_seat, callee_seat, caller_back_by, callee_back_by, running_since, paused_since, paused_ms, due_at, caller_was, callee_was, is_lazy, user_id, peer_id, most)
-- Prepared.
-- One step of a live call. Changes nothing if another process was first, or if `version` is null; the seats are compared too,
-- because a version may come twice after a crash. `is_lazy`: does not wait for the disk; a crash of PostgreSQL may lose the step. With `user_id`, also what
-- this user's seat is shown: the peer (null once deleted), the newest lines in order, whether there are more, and the handles
-- that the peer has shared.
with stepped as (
    update calls set
        version = version + 1,
        state = :state,
        remaining_ms = :remaining_ms,
        connect_by = :connect_by,
        connected_at = :connected_at,
        caller_up = :caller_up,
        callee_up = :callee_up,
        caller_seat = :caller_seat,
        callee_seat = :callee_seat,
        caller_back_by = :caller_back_by,
        callee_back_by = :callee_back_by,
        running_since = :running_since,
        paused_since = :paused_since,
        paused_ms = :paused_ms,
        due_at = :due_at
    where call_id = :call_id and version = :version and state <> 'ended'
        and caller_seat is not distinct from :caller_was and callee_seat is not distinct from :callee_was
    returning call_id
)
select
    exists (select from stepped) as is_first,
    case when :is_lazy then set_config('synchronous_commit', 'off', true) end as durability,
    (
        select jsonb_build_object('user_id', user_id, 'name', name, 'gender', gender, 'selfie_id', selfie_id, 'kind', kind)
        from users where user_id = :peer_id and deleted_at is null
    ) as peer,
    array(
        select jsonb_build_object('message_id', message_id, 'sender_id', sender_id, 'text', text, 'sent_at', sent_at)
        from (
            select message_id, sender_id, text, sent_at from call_messages
            where call_id = :call_id and :user_id::uuid is not null order by sent_at desc, message_id desc limit :most
        ) as newest
        order by sent_at, message_id
    ) as lines,
    exists (select from call_messages where call_id = :call_id and :user_id::uuid is not null offset :most) as has_more,
    (
        select contacts.handles
        from contacts
        join users on users.user_id = contacts.user_id and users.deleted_at is null
        where contacts.call_id = :call_id and contacts.user_id = :peer_id and contacts.handles is not null
            and exists (select from contacts mine where mine.call_id = :call_id and mine.user_id = :user_id)
    ) as shared;

-- name: finish(call_id, version, remaining_ms, connected_at, connected_ms, paused_ms, ended_at, ended_reason, cooldown_seconds, success_ms, after_calls, uses_limit, caller_code, callee_code)
-- Prepared.
-- Ends a call once: row, seats, cooldown (only if the call connected), statistics, and the invite codes that its users have
-- earned. A code is earned with access and enough successful calls; a stopped code stays stopped.
with done as (
    update calls set
        version = version + 1,
        state = 'ended',
        remaining_ms = :remaining_ms,
        connected_at = :connected_at,
        connected_ms = :connected_ms,
        paused_ms = :paused_ms,
        running_since = null,
        paused_since = null,
        caller_seat = null,
        callee_seat = null,
        caller_back_by = null,
        callee_back_by = null,
        due_at = null,
        ended_at = :ended_at,
        ended_reason = :ended_reason
    where call_id = :call_id and version = :version and state <> 'ended'
    returning *
),
freed as (
    delete from live_seats using done where live_seats.call_id = done.call_id
),
cooled as (
    insert into cooldowns (low_id, high_id, until_at)
    select least(caller_id, callee_id), greatest(caller_id, callee_id), ended_at + :cooldown_seconds * interval '1 second'
    from done where connected_at is not null
    on conflict (low_id, high_id) do update set until_at = greatest(cooldowns.until_at, excluded.until_at)
),
counted as (
    update users set successful_calls = successful_calls + 1
    from done where user_id in (caller_id, callee_id) and connected_ms >= :success_ms
    returning user_id, successful_calls, deleted_at, case when user_id = caller_id then :caller_code else :callee_code end as code
),
earned as (
    insert into invite_codes (code, owner_id, uses_limit, created_at)
    select code, user_id, :uses_limit, :ended_at
    from counted
    where successful_calls >= :after_calls and deleted_at is null
        and exists (select from access_grants where access_grants.user_id = counted.user_id and access_grants.ended_at is null)
    on conflict (owner_id) do nothing
)
select call_id from done;

-- name: due(now, batch)
-- Prepared.
-- Locked rows are skipped: another process handles them.
select call_id from calls where state <> 'ended' and due_at <= :now order by due_at limit :batch for update skip locked;

-- name: ended_among(call_ids)
select call_id from calls where call_id = any(:call_ids::uuid[]) and state = 'ended';
