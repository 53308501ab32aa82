-- name: page(user_id, before_at, before_id, most)
-- One index scan per role, so that the cost depends on the page and not on the number of calls.
select
    past.call_id, past.started_at, past.connected_ms, past.ended_reason, past.partner_id,
    users.name as partner_name, users.gender as partner_gender,
    case when not is_after_parting(:user_id::uuid, users.selfie_id) then users.selfie_id end as partner_selfie_id, users.kind as partner_kind,
    users.deleted_at is not null as is_deleted,
    (
        select until_at from cooldowns
        where low_id = least(:user_id::uuid, past.partner_id) and high_id = greatest(:user_id::uuid, past.partner_id)
            and until_at > clock_timestamp()
    ) as cooldown_until
from (
    (
        select call_id, started_at, connected_ms, ended_reason, callee_id as partner_id from calls
        where caller_id = :user_id and state = 'ended'
            and (started_at, call_id) < (:before_at, coalesce(:before_id::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
        order by started_at desc, call_id desc limit :most
    )
    union all
    (
        select call_id, started_at, connected_ms, ended_reason, caller_id as partner_id from calls
        where callee_id = :user_id and state = 'ended'
            and (started_at, call_id) < (:before_at, coalesce(:before_id::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
        order by started_at desc, call_id desc limit :most
    )
) as past
join users on users.user_id = past.partner_id
order by past.started_at desc, past.call_id desc
limit :most;

-- name: lines(call_ids, most, most_bytes)
-- The first lines of each call, limited by number and by bytes of JSON and HTML; one extra line if there are more.
select call_id, message_id, sender_id, text, sent_at, total <= :most_bytes as is_within
from (
    select calls.call_id, message_id, sender_id, text, sent_at,
        sum(
            200 + octet_length(to_json(text)::text) + 5 * (length(text) - length(translate(text, '&<>''"', '')))
        ) over (partition by calls.call_id order by sent_at, message_id) as total
    from unnest(:call_ids::uuid[]) as calls (call_id)
    cross join lateral (
        select message_id, sender_id, text, sent_at from call_messages
        where call_messages.call_id = calls.call_id order by sent_at, message_id limit :most + 1
    ) as first_lines
) as weighed
order by sent_at, message_id;
