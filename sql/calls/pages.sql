-- name: of(call_id, user_id)
-- Prepared.
-- A call as one of its users may see it: the row, the other user (null once deleted), their cooldown, this user's answer about
-- contacts and what the other has shared (not once deleted), and whether this user has blocked the other.
select
    calls.*,
    case when peer.deleted_at is null then jsonb_build_object(
        'user_id', peer.user_id, 'name', peer.name, 'gender', peer.gender,
        'selfie_id', case when not is_after_parting(:user_id::uuid, peer.selfie_id) then peer.selfie_id end, 'kind', peer.kind
    ) end as peer,
    (
        select until_at from cooldowns
        where low_id = least(caller_id, callee_id) and high_id = greatest(caller_id, callee_id) and until_at > clock_timestamp()
    ) as cooldown_until,
    mine.is_yes as said,
    case when mine.user_id is not null and peer.deleted_at is null then theirs.handles end as shared,
    exists (select from blocks where blocker_id = :user_id and blocked_id = peer.user_id) as is_blocked
from calls
join users as peer on peer.user_id = case when caller_id = :user_id then callee_id else caller_id end
left join contacts as mine on mine.call_id = calls.call_id and mine.user_id = :user_id
left join contacts as theirs on theirs.call_id = calls.call_id and theirs.user_id = peer.user_id
where calls.call_id = :call_id and (caller_id = :user_id or callee_id = :user_id);
