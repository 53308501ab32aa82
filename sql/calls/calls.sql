-- name: find(call_id)
select * from calls where call_id = :call_id;

-- name: live_of(user_id)
-- Prepared.
select call_id from live_seats where user_id = :user_id;

-- name: advance(call_id, version, state, remaining_ms, connect_by, connected_at, caller_up, callee_up, caller_seat, callee_seat, caller_back_by, callee_back_by, running_since, paused_since, paused_ms, due_at)!
-- Prepared.
-- One step of a live call. Changes nothing if another process was first.
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
where call_id = :call_id and version = :version and state <> 'ended';

-- name: finish(call_id, version, remaining_ms, connected_at, connected_ms, paused_ms, ended_at, ended_reason, cooldown_seconds, success_ms)
-- Prepared.
-- Ends a call once: row, seats, cooldown (only if the call connected) and statistics.
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
)
select call_id from done;

-- name: due(now, batch)
-- Prepared.
-- Locked rows are skipped: another process handles them.
select call_id from calls where state <> 'ended' and due_at <= :now order by due_at limit :batch for update skip locked;

-- name: ended_among(call_ids)
select call_id from calls where call_id = any(:call_ids::uuid[]) and state = 'ended';
