-- name: restart(dead, everyone, connect_by, back_by, pause_ms, batch)
-- Applies `Restarted` of models/calls/state.py to a batch of calls; repeated until a batch is not full. One process at a time.
-- A call that has been restarted is not selected again: its seats are empty, and its grace periods end at the new instant.
with turn as materialized (
    select pg_try_advisory_xact_lock(hashtextextended('napalmsky: calls restart', 0)) as is_mine
),
due as (
    select call_id,
        case when split_part(caller_seat, '/', 1) = any(:dead::text[]) then caller_seat end as caller,
        case when split_part(callee_seat, '/', 1) = any(:dead::text[]) then callee_seat end as callee
    from calls
    where (select is_mine from turn) and state <> 'ended' and (
        split_part(caller_seat, '/', 1) = any(:dead::text[])
        or split_part(callee_seat, '/', 1) = any(:dead::text[])
        or (:everyone and state = 'connecting' and connect_by < :connect_by)
        or (:everyone and state = 'connected' and least(caller_back_by, callee_back_by) < :back_by)
    )
    order by call_id
    limit :batch
    for update of calls
),
graces as (
    select calls.call_id, due.caller, due.callee,
        case when state = 'connecting' then :connect_by else connect_by end as connect_by,
        case when state = 'connected' and (due.caller is not null or caller_back_by is not null) then :back_by end as caller_back_by,
        case when state = 'connected' and (due.callee is not null or callee_back_by is not null) then :back_by end as callee_back_by
    from calls join due on due.call_id = calls.call_id
),
restarted as (
    update calls set
        version = version + 1,
        connect_by = graces.connect_by,
        caller_seat = case when graces.caller is null then caller_seat end,
        callee_seat = case when graces.callee is null then callee_seat end,
        caller_back_by = graces.caller_back_by,
        callee_back_by = graces.callee_back_by,
        due_at = case when state = 'connecting' then graces.connect_by else least(
            running_since + remaining_ms * interval '1 millisecond',
            paused_since + (:pause_ms - paused_ms) * interval '1 millisecond',
            graces.caller_back_by,
            graces.callee_back_by
        ) end
    from graces where calls.call_id = graces.call_id
    returning calls.call_id, graces.caller, graces.callee
)
select
    (select is_mine from turn) as is_mine,
    (select count(*) from restarted) as calls,
    coalesce((
        select jsonb_agg(jsonb_build_object('call_id', call_id, 'caller', caller, 'callee', callee))
        from restarted where coalesce(caller, callee) is not null
    ), '[]') as left;
