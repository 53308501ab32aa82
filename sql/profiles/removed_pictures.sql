-- Perceptual hashes of removed pictures.

-- name: remember(picture_id, media_id, now)!
insert into removed_pictures (picture_id, hashes, removed_at)
select :picture_id, hashes, coalesce(:now::timestamptz, clock_timestamp())
from media where media_id = :media_id and hashes is not null
on conflict do nothing;

-- name: forget(picture_id)!
delete from removed_pictures where picture_id = :picture_id;

-- name: has_bit_count()
-- PostgreSQL 14 and newer.
select current_setting('server_version_num')::integer >= 140000;

-- name: nearest(hashes)
-- The least number of differing bits.
with asked as materialized (select ('x' || new)::bit(256) as new from unnest(:hashes::text[]) as new)
select min(bit_count(kept # new)) from removed_pictures, unnest(removed_pictures.hashes) as kept, asked;

-- name: nearest_by_text(hashes)
-- The same without `bit_count`, twenty times slower.
with asked as materialized (select ('x' || new)::bit(256) as new from unnest(:hashes::text[]) as new)
select min(length(replace((kept # new)::text, '0', '')))
from removed_pictures, unnest(removed_pictures.hashes) as kept, asked;

-- name: describe(media_id, hashes, preview, frame)!
update media
set hashes = (select array_agg(('x' || one)::bit(256)) from unnest(:hashes::text[]) as one),
    preview = :preview, frame = :frame
where media_id = :media_id;

-- name: flag(media_id, cause, now)!
insert into picture_flags (media_id, cause, flagged_at)
values (:media_id, :cause, coalesce(:now::timestamptz, clock_timestamp()))
on conflict do nothing;

-- name: flags_of(user_id)
select media_id::text, kind, cause, flagged_at
from picture_flags join media using (media_id)
where owner_id = :user_id and detached_at is null
order by flagged_at;
