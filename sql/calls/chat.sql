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
