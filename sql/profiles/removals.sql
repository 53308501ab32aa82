-- Selfies and videos that a moderator took off a card. A new file of the kind deletes the row (sql/profiles/media.sql).

-- name: uncover(user_id, kind, media_id)!
-- Only the file that the moderator was shown: it may have been replaced since.
update users
set selfie_id = case when :kind = 'selfie' then null else selfie_id end,
    video_id = case when :kind = 'video' then null else video_id end
where user_id = :user_id and deleted_at is null
    and :media_id::uuid = case when :kind = 'selfie' then selfie_id else video_id end;

-- name: is_there(user_id)
select exists (select from users where user_id = :user_id and deleted_at is null);

-- name: keep(user_id, kind, reason, now)!
insert into removals (user_id, kind, reason, removed_at)
values (:user_id, :kind, :reason, coalesce(:now::timestamptz, clock_timestamp()))
on conflict (user_id, kind) do update set reason = excluded.reason, removed_at = excluded.removed_at;

-- name: of_user(user_id)
select kind, reason, removed_at from removals where user_id = :user_id order by kind;
