-- name: say(message_id, call_id, sender_id, client_id, text, now, most, pause_ms, ahead_ms)
-- Prepared.
-- A repeat returns the stored line. No line is stored if the call has ended or the side has reached its limits: each line
-- takes `pause_ms` of the side's time, and the side may be `ahead_ms` ahead of the clock. The call's row serialises concurrent lines.
with instant as (
    select coalesce(:now::timestamptz, clock_timestamp()) as at
),
before as (
    select message_id, sender_id, text, sent_at from call_messages
    where call_id = :call_id and sender_id = :sender_id and client_id = :client_id
),
counted as (
    update calls set
        caller_lines = caller_lines + (caller_id = :sender_id)::integer,
        callee_lines = callee_lines + (callee_id = :sender_id)::integer,
        caller_chat_until = case when caller_id = :sender_id
            then greatest(caller_chat_until, at) + :pause_ms * interval '1 millisecond' else caller_chat_until end,
        callee_chat_until = case when callee_id = :sender_id
            then greatest(callee_chat_until, at) + :pause_ms * interval '1 millisecond' else callee_chat_until end
    from instant
    where call_id = :call_id and state <> 'ended' and not exists (select from before)
        and case when caller_id = :sender_id then caller_lines else callee_lines end < :most
        and case when caller_id = :sender_id then caller_chat_until else callee_chat_until end
            <= at + :ahead_ms * interval '1 millisecond'
    returning call_id, at
),
said as (
    insert into call_messages (message_id, call_id, sender_id, client_id, text, sent_at)
    select :message_id, call_id, :sender_id, :client_id, :text, at from counted
    -- The update makes a concurrent repeat wait for the first insert and return its line.
    on conflict (call_id, sender_id, client_id) do update set client_id = excluded.client_id
    returning message_id, sender_id, text, sent_at
)
select message_id, sender_id, text, sent_at from said
union all
select message_id, sender_id, text, sent_at from before
limit 1;

-- name: say_together(message_ids, call_ids, sender_ids, client_ids, texts, now, most, pause_ms, ahead_ms)
-- Prepared.
-- New lines, at most one for each side of a call; returns those that are stored. It waits for no locked row, and leaves repeats and
-- everything that it does not store to `say`. The lines have instants in their order. psycopg2 sends a list of ids as text[].
with instant as (
    select coalesce(:now::timestamptz, clock_timestamp()) as at
),
accepted as (
    select line.message_id, line.call_id, line.sender_id, line.client_id, line.text, line.number, instant.at,
        line.sender_id = calls.caller_id as is_caller
    from unnest(
        :message_ids::text[]::uuid[], :call_ids::text[]::uuid[], :sender_ids::text[]::uuid[],
        :client_ids::text[], :texts::text[]
    )
    with ordinality as line (message_id, call_id, sender_id, client_id, text, number)
    join calls on calls.call_id = line.call_id and line.sender_id in (calls.caller_id, calls.callee_id)
    join users on users.user_id = line.sender_id
    cross join instant
    where calls.state <> 'ended'
        and case when line.sender_id = caller_id then caller_lines else callee_lines end < :most
        and case when line.sender_id = caller_id then caller_chat_until else callee_chat_until end
            <= instant.at + :ahead_ms * interval '1 millisecond'
        and not exists (
            select from call_messages as before
            where before.call_id = line.call_id and before.sender_id = line.sender_id and before.client_id = line.client_id
        )
    for no key update of calls skip locked
    for key share of users skip locked
),
sides as (
    select call_id, min(at) filter (where is_caller) as caller_at, count(*) filter (where is_caller) as by_caller,
        min(at) filter (where not is_caller) as callee_at, count(*) filter (where not is_caller) as by_callee
    from accepted group by call_id
),
counted as (
    update calls set
        caller_lines = caller_lines + by_caller,
        callee_lines = callee_lines + by_callee,
        caller_chat_until = greatest(caller_chat_until, caller_at) + by_caller * (:pause_ms * interval '1 millisecond'),
        callee_chat_until = greatest(callee_chat_until, callee_at) + by_callee * (:pause_ms * interval '1 millisecond')
    from sides where calls.call_id = sides.call_id
    returning calls.call_id
)
insert into call_messages (message_id, call_id, sender_id, client_id, text, sent_at)
select message_id, call_id, sender_id, client_id, text, at + (number - 1) * interval '1 microsecond'
from accepted join counted using (call_id)
returning message_id, sender_id, text, sent_at;

-- name: share(call_id, sender_id, now, ahead_ms)
-- Why a line was rejected: the call has ended, the side has used all its lines, or it is too early until `next_at`.
select
    state = 'ended' as is_ended,
    case when caller_id = :sender_id then caller_lines else callee_lines end as lines,
    case when caller_id = :sender_id then caller_chat_until else callee_chat_until end
        - :ahead_ms * interval '1 millisecond' as next_at,
    coalesce(:now::timestamptz, clock_timestamp()) as now
from calls where call_id = :call_id;

-- name: page(call_id, after_at, after_id, most, most_bytes)
-- Lines in order, limited by number and by bytes of JSON and HTML; one extra line if there are more.
select message_id, sender_id, text, sent_at, total <= :most_bytes as is_within
from (
    select message_id, sender_id, text, sent_at,
        sum(
            200 + octet_length(to_json(text)::text) + 5 * (length(text) - length(translate(text, '&<>''"', '')))
        ) over (order by sent_at, message_id) as total
    from (
        select message_id, sender_id, text, sent_at from call_messages
        where call_id = :call_id and (sent_at, message_id) > (:after_at, :after_id)
        order by sent_at, message_id limit :most + 1
    ) as next_lines
) as weighed
order by sent_at, message_id;

-- name: newest(call_id, most)
select message_id, sender_id, text, sent_at from (
    select message_id, sender_id, text, sent_at from call_messages
    where call_id = :call_id order by sent_at desc, message_id desc limit :most
) as newest
order by sent_at, message_id;
