-- Selfies and videos that a moderator took off a card. A new file of the kind settles the removal (sql/profiles/media.sql).

-- name: uncover(user_id, kind, media_id)!
-- Only the file that the moderator was shown: it may have been replaced since.
update users
set selfie_id = case when :kind = 'selfie' then null else selfie_id end,
    video_id = case when :kind = 'video' then null else video_id end
where user_id = :user_id and deleted_at is null
    and :media_id::uuid = case when :kind = 'selfie' then selfie_id else video_id end;

-- name: is_there(user_id)
select exists (select from users where user_id = :user_id and deleted_at is null);

-- name: keep(removal_id, user_id, kind, media_id, rule, reason, removed_by, now)!
-- Before the deletion of the file, which then only detaches it (hold_reported_media).
insert into removals (removal_id, user_id, kind, media_id, rule, reason, removed_by, removed_at)
values (
    :removal_id, :user_id, :kind, :media_id, :rule, :reason, :removed_by, coalesce(:now::timestamptz, clock_timestamp())
);

-- name: of_user(user_id)
select
    removal_id::text, user_id::text, kind, rule, reason, removed_at, settled_at, appeal_text, appealed_at, verdict, reply
from removals where user_id = :user_id order by removed_at desc;

-- name: find(removal_id)
select
    removal_id::text, user_id::text, kind, rule, reason, removed_at, settled_at, appeal_text, appealed_at, verdict, reply
from removals where removal_id = :removal_id;
