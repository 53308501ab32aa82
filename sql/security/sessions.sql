-- Sessions. Only the SHA-256 of a token is stored.

-- name: create(session_id, token_hash, user_id, guest_days, account_days, now)!
insert into sessions (session_id, token_hash, user_id, created_at, renewed_at, expires_at)
select :session_id, :token_hash, :user_id, at, at, at + make_interval(days => case
    when exists (select from accounts a where a.user_id = :user_id) then :account_days
    else :guest_days
end)
from coalesce(:now::timestamptz, clock_timestamp()) as at;

-- name: rotate(session_id, token_hash, guest_days, account_days, now)!
update sessions s
set token_hash = :token_hash, renewed_at = at, expires_at = at + make_interval(days => case
    when exists (select from accounts a where a.user_id = s.user_id) then :account_days
    else :guest_days
end)
from coalesce(:now::timestamptz, clock_timestamp()) as at
where s.session_id = :session_id and s.ended_at is null;

-- name: find(token_hash, session_id, member_days, terms_version, asks_age_proof, now)
-- Prepared.
-- The member in one statement. A guest with access is kept longer; this is computed here, so that access granted by a
-- webhook counts at once. was_renewed: due once a day, and the caller renews it now. The session of an account is kept
-- for its own days, with or without access.
select
    s.session_id::text, s.user_id::text, u.name, u.gender, u.selfie_id::text, a.access,
    exists (
        select from bans b
        where b.user_id = s.user_id and b.lifted_at is null and (b.until_at is null or b.until_at > at)
    ) as is_banned,
    acc.user_id is not null as is_account,
    s.renewed_at, e.expires_at,
    s.renewed_at <= at - interval '1 day' as was_renewed, u.kind,
    u.kind <> 'person' or exists (
        select from terms_acceptances t where t.user_id = s.user_id and t.version = :terms_version
    ) as has_accepted_terms,
    u.kind <> 'person' or not :asks_age_proof::boolean or exists (
        select from age_proofs p where p.user_id = s.user_id
    ) as is_age_proven,
    (select call_id::text from live_seats where live_seats.user_id = s.user_id) as live_call_id
from sessions s
join users u on u.user_id = s.user_id and u.deleted_at is null
left join accounts acc on acc.user_id = s.user_id
cross join coalesce(:now::timestamptz, clock_timestamp()) as at
cross join lateral (
    select case
        when bool_or(g.reason = 'payment') then 'paid'
        when bool_or(g.reason = 'comp') then 'comped'
        when bool_or(g.reason = 'code') then 'invited'
        else 'unpaid'
    end as access
    from access_grants g
    where g.user_id = s.user_id and g.ended_at is null
) a
cross join lateral (
    select case
        when a.access = 'unpaid' or acc.user_id is not null then s.expires_at
        else greatest(s.expires_at, s.renewed_at + make_interval(days => :member_days))
    end as expires_at
) e
where (s.token_hash = :token_hash::bytea or s.session_id = :session_id::uuid) and s.ended_at is null and e.expires_at > at;

-- name: renew(session_id, days, now)!
-- Concurrent requests renew once.
update sessions
set renewed_at = at, expires_at = greatest(expires_at, at + make_interval(days => :days))
from coalesce(:now::timestamptz, clock_timestamp()) as at
where session_id = :session_id and ended_at is null and renewed_at <= at - interval '1 day';

-- name: end_one(session_id, reason, now)
update sessions
set ended_at = coalesce(:now::timestamptz, clock_timestamp()), ended_reason = :reason
where session_id = :session_id and ended_at is null
returning user_id::text, session_id::text, ended_reason as reason;

-- name: end_others(user_id, session_id, reason, now)
update sessions
set ended_at = coalesce(:now::timestamptz, clock_timestamp()), ended_reason = :reason
where user_id = :user_id and ended_at is null and session_id is distinct from :session_id::uuid
returning user_id::text, session_id::text, ended_reason as reason;

-- name: ended(token_hash)
select user_id::text, session_id::text, ended_reason as reason
from sessions
where token_hash = :token_hash and ended_at is not null;

-- name: revive(session_id)!
update sessions s set ended_at = null, ended_reason = null
where s.session_id = :session_id and s.ended_reason = 'banned'
    and not exists (select from accounts a where a.user_id = s.user_id);

-- name: ended_since(since)
-- Prepared.
select user_id::text, session_id::text, ended_reason as reason
from sessions
where ended_at > :since and ended_reason <> 'banned'
order by ended_at;
