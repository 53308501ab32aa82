-- A member's reasons for access, for admins.

-- name: is_there(user_id)
select deleted_at is null from users where user_id = :user_id;

-- name: of(user_id)
select grant_id::text, reason, source, granted_at, ended_at, ended_reason
from access_grants
where user_id = :user_id
order by granted_at desc, grant_id;
