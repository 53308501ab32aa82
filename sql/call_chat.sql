-- name: say(message_id, call_id, sender_id, client_id, text, now)
-- Prepared.
-- A repeat gives the line that is there; a call that has ended takes no more.
with said as (
    insert into call_messages (message_id, call_id, sender_id, client_id, text, sent_at)
    select :message_id, call_id, :sender_id, :client_id, :text, coalesce(:now::timestamptz, clock_timestamp())
    from calls where call_id = :call_id and state <> 'ended'
    -- Touched, so that a repeat which comes at the same moment waits for the first and finds its line.
    on conflict (call_id, sender_id, client_id) do update set client_id = excluded.client_id
    returning message_id, sender_id, text, sent_at, xmax = 0 as is_new
)
select message_id, sender_id, text, sent_at, is_new from said
union all
select message_id, sender_id, text, sent_at, false from call_messages
where call_id = :call_id and sender_id = :sender_id and client_id = :client_id
limit 1;

-- name: of_call(call_id)
select message_id, sender_id, text, sent_at from call_messages where call_id = :call_id order by sent_at, message_id limit 2000;
