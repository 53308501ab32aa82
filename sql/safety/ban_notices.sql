-- The active ban, as shown to its user.

-- name: standing(user_id, now)
select ban_id::text, user_id::text, kind, rule, reason, until_at, decided_by is null as is_automatic
from bans
where user_id = :user_id and lifted_at is null
    and (until_at is null or until_at > coalesce(:now::timestamptz, clock_timestamp()));

-- name: recent(since, now)
-- The newest bans, for the sweep.
select ban_id::text, user_id::text, kind, rule, reason, until_at, decided_by is null as is_automatic
from bans
where created_at > :since and lifted_at is null
    and (until_at is null or until_at > coalesce(:now::timestamptz, clock_timestamp()));

-- name: with_links()
select ban_id::text from bans where appeal_hash is not null;

-- name: renew_link(ban_id, appeal_hash)!
update bans set appeal_hash = :appeal_hash where ban_id = :ban_id;
