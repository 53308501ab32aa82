-- Ids of deleted users and media, which must stay deleted.

-- name: since(instant)
select kind, id::text, buried_at from tombstones where buried_at > :instant order by buried_at, id;

-- name: remember(kinds, ids, instants)!
insert into tombstones (kind, id, buried_at)
select * from unnest(:kinds::text[], :ids::uuid[], :instants::timestamptz[])
on conflict do nothing;

-- name: restored_users(ids)
-- Deleted users that a backup has restored.
select user_id::text from users where user_id = any(:ids::uuid[]) and deleted_at is null;

-- name: delete_media(ids)!
with shown as (
    update users set selfie_id = null where selfie_id = any(:ids::uuid[])
)
delete from media where media_id = any(:ids::uuid[]);
