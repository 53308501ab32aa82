-- Members for staff.

-- name: search(user_id, email_key, words, most)
select
    u.user_id::text, u.name, a.email, u.created_at,
    exists (
        select from bans b
        where b.user_id = u.user_id and b.lifted_at is null and (b.until_at is null or b.until_at > clock_timestamp())
    ) as is_banned
from users u left join accounts a using (user_id)
where u.deleted_at is null
    and (u.user_id = :user_id::uuid or a.email_key = :email_key or strpos(lower(u.name), lower(:words)) > 0)
order by u.user_id = :user_id::uuid desc nulls last, a.email_key = :email_key desc nulls last, u.created_at desc
limit :most;

-- name: find(user_id)
select
    u.user_id::text, u.name, u.gender, u.selfie_id::text, u.video_id::text, u.created_at, u.successful_calls, a.email,
    (select array_agg(distinct g.reason order by g.reason) from access_grants g
        where g.user_id = u.user_id and g.ended_at is null) as access,
    i.owner_id::text as inviter_id, coalesce(o.name, i.label) as inviter_name,
    own.uses as code_uses, own.uses_limit as code_limit,
    t.version as terms_version, t.accepted_at as terms_at
from users u
left join accounts a using (user_id)
left join invite_code_uses w using (user_id)
left join invite_codes i on i.code = w.code
left join users o on o.user_id = i.owner_id
left join invite_codes own on own.owner_id = u.user_id
left join lateral (
    select version, accepted_at from terms_acceptances where user_id = u.user_id order by accepted_at desc limit 1
) t on true
where u.user_id = :user_id and u.deleted_at is null;

-- name: brought(user_id, most)
-- The users who joined with this user's code or with a code further down, each below their inviter.
with recursive tree as (
    select 0 as depth, w.user_id, w.used_at, array[w.used_at] as path
    from invite_codes c join invite_code_uses w using (code)
    where c.owner_id = :user_id
    union all
    select t.depth + 1, w.user_id, w.used_at, t.path || w.used_at
    from tree t join invite_codes c on c.owner_id = t.user_id join invite_code_uses w using (code)
    where t.depth < 20
)
select t.depth, u.user_id::text, u.name, t.used_at from tree t join users u using (user_id)
order by t.path, u.user_id limit :most;

-- name: calls(user_id, most)
-- One index scan for each role.
select p.call_id::text, p.started_at, p.state, p.connected_ms, p.ended_reason, p.partner_id::text, u.name as partner_name
from (
    (select call_id, started_at, state, connected_ms, ended_reason, callee_id as partner_id
        from calls where caller_id = :user_id order by started_at desc, call_id limit :most)
    union all
    (select call_id, started_at, state, connected_ms, ended_reason, caller_id as partner_id
        from calls where callee_id = :user_id order by started_at desc, call_id limit :most)
) p join users u on u.user_id = p.partner_id
order by p.started_at desc, p.call_id limit :most;

-- name: call(call_id)
select call_id::text, started_at, state, connected_ms, ended_reason from calls where call_id = :call_id;
