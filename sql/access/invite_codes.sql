-- Invite codes and their uses.

-- name: redeem(code, user_id, now)!
-- Takes and records a use in one statement, if one is left and the user has no access and is not the owner, and the owner
-- is not banned. Concurrent redemptions wait for the row and see the count of the one before.
with redeemer as (
    select u.user_id, at
    from users u, coalesce(:now::timestamptz, clock_timestamp()) as at
    where u.user_id = :user_id and u.deleted_at is null
        and not exists (select from access_grants g where g.user_id = u.user_id and g.ended_at is null)
        and not exists (select from invite_code_uses used where used.user_id = u.user_id)
), taken as (
    update invite_codes c
    set uses = c.uses + 1
    from redeemer r
    where c.code = :code and c.stopped_at is null
        and (c.uses_limit is null or c.uses < c.uses_limit)
        and c.owner_id is distinct from r.user_id
        and not exists (
            select from bans b
            where b.user_id = c.owner_id and b.lifted_at is null and (b.until_at is null or b.until_at > r.at)
        )
    returning c.code, r.user_id, r.at
)
insert into invite_code_uses (user_id, code, used_at)
select user_id, code, at from taken;

-- name: status(code, user_id, now)
-- Everything that decides whether a user may redeem a code (null: a new user).
select
    c.code, coalesce(u.name, 'Napalm Sky') as inviter_name,
    c.stopped_at is not null or exists (
        select from bans b
        where b.user_id = c.owner_id and b.lifted_at is null
            and (b.until_at is null or b.until_at > coalesce(:now::timestamptz, clock_timestamp()))
    ) as is_stopped,
    coalesce(c.uses >= c.uses_limit, false) as is_used_up,
    coalesce(c.owner_id = :user_id::uuid, false) as is_own,
    exists (select from access_grants g where g.user_id = :user_id::uuid and g.ended_at is null) as is_in,
    exists (select from invite_code_uses used where used.user_id = :user_id::uuid) as has_used_one
from invite_codes c
left join users u on u.user_id = c.owner_id
where c.code = :code;

-- name: find_own(user_id)
select code, uses_limit - uses as uses_remaining, stopped_at is not null as stopped
from invite_codes
where owner_id = :user_id;

-- name: ensure_own(user_id, code, uses_limit, now)!
-- One code per user. A code stopped by a lost payment is restarted with its count; one stopped by the operator is not.
insert into invite_codes (code, owner_id, uses_limit, created_at)
values (:code, :user_id, :uses_limit, coalesce(:now::timestamptz, clock_timestamp()))
on conflict (owner_id) do update set stopped_at = null, stopped_by = null
where invite_codes.stopped_at is not null and invite_codes.stopped_by is distinct from 'operator';

-- name: stop_own(user_id, now)!
update invite_codes
set stopped_at = coalesce(:now::timestamptz, clock_timestamp()), stopped_by = 'payment'
where owner_id = :user_id and stopped_at is null;

-- name: resume_own(user_id)!
update invite_codes set stopped_at = null, stopped_by = null where owner_id = :user_id and stopped_by = 'payment';

-- name: is_owner(code, user_id)
select true from invite_codes where code = :code and owner_id = :user_id;
