-- E-mail addresses of banned users who were deleted, as keyed hashes, used only while the ban is active.

-- name: standing(user_id, now)
-- The active ban and the address of a user who is about to be deleted.
select ban_id::text, email_key
from bans join accounts using (user_id)
where user_id = :user_id and lifted_at is null
    and (until_at is null or until_at > coalesce(:now::timestamptz, clock_timestamp()));

-- name: keep(ban_id, email_hash)!
insert into banned_emails (ban_id, email_hash) values (:ban_id, :email_hash) on conflict do nothing;

-- name: is_banned(email_hash, now)
select exists (
    select from banned_emails join bans using (ban_id)
    where email_hash = :email_hash and lifted_at is null
        and (until_at is null or until_at > coalesce(:now::timestamptz, clock_timestamp()))
);
