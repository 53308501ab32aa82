-- Invite codes for admins. A code without an owner is an admin code.

-- name: create(code, label, uses_limit, now)!
insert into invite_codes (code, label, uses_limit, created_at)
values (:code, :label, :uses_limit, coalesce(:now::timestamptz, clock_timestamp()));

-- name: stop(code, now)!
-- Any code; a payment does not switch it on again.
update invite_codes
set stopped_at = coalesce(stopped_at, :now::timestamptz, clock_timestamp()), stopped_by = 'operator'
where code = :code;

-- name: list(most)
select
    c.code, c.label, c.uses_limit, c.uses, c.created_at, c.stopped_at, c.owner_id::text, u.name as owner_name
from invite_codes c
left join users u on u.user_id = c.owner_id
order by c.owner_id is not null, c.created_at desc
limit :most;

-- name: find(code)
select
    c.code, c.label, c.uses_limit, c.uses, c.created_at, c.stopped_at, c.owner_id::text, u.name as owner_name
from invite_codes c
left join users u on u.user_id = c.owner_id
where c.code = :code;

-- name: tree(most)
-- The invite tree, each user below their inviter. It starts with codes whose owner joined without one.
with recursive tree as (
    select
        0 as depth, coalesce(u.name, c.label) as name, c.owner_id as user_id, c.code as own_code,
        null::timestamptz as came_at, array[to_char(c.created_at, 'YYYYMMDDHH24MISSUS') || c.code] as path
    from invite_codes c
    left join users u on u.user_id = c.owner_id
    where c.uses > 0 and not exists (select from invite_code_uses w where w.user_id = c.owner_id)
    union all
    select
        t.depth + 1, u.name, u.user_id, own.code, w.used_at,
        t.path || (to_char(w.used_at, 'YYYYMMDDHH24MISSUS') || w.user_id::text)
    from tree t
    join invite_code_uses w on w.code = t.own_code
    join users u on u.user_id = w.user_id
    left join invite_codes own on own.owner_id = u.user_id
)
select depth, name, user_id::text, own_code, came_at from tree order by path limit :most;
