-- What must stay deleted, by kind and id.

-- name: since(instant)
select kind, id::text, buried_at from tombstones where buried_at > :instant order by buried_at, id;

-- name: remember(kinds, ids, instants)!
insert into tombstones (kind, id, buried_at)
select * from unnest(:kinds::text[], :ids::uuid[], :instants::timestamptz[])
on conflict do nothing;

-- name: risen_people(ids)
-- Those who are here again although they were deleted.
select user_id::text from users where user_id = any(:ids::uuid[]) and deleted_at is null;

-- name: bury_media(ids)!
with shown as (
    update users set selfie_id = null where selfie_id = any(:ids::uuid[])
)
delete from media where media_id = any(:ids::uuid[]);
