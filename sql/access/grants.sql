-- Access grants: one row for each reason; a row only changes when it ends or is restored.

-- name: lock_user(user_id)!
-- Serialises changes of a user's access until the transaction ends.
select user_id from users where user_id = :user_id for no key update;

-- name: grant(grant_id, user_id, reason, source, now)!
-- The same reason from the same source is granted once, and not again after it was taken away.
insert into access_grants (grant_id, user_id, reason, source, granted_at)
values (:grant_id, :user_id, :reason, :source, coalesce(:now::timestamptz, clock_timestamp()))
on conflict (reason, source) do nothing;

-- name: find_owner(reason, source)
select user_id::text from access_grants where reason = :reason and source = :source;

-- name: take_away(reason, source, why, now)!
update access_grants
set ended_at = coalesce(:now::timestamptz, clock_timestamp()), ended_reason = :why
where reason = :reason and source = :source and ended_at is null;

-- name: give_back(reason, source)!
-- Undoes take_away.
update access_grants
set ended_at = null, ended_reason = null
where reason = :reason and source = :source and ended_at is not null;

-- name: of(user_id)
select case
    when bool_or(reason = 'payment') then 'paid'
    when bool_or(reason = 'comp') then 'comped'
    when bool_or(reason = 'code') then 'invited'
    else 'unpaid'
end as access
from access_grants
where user_id = :user_id and ended_at is null;
