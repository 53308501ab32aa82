-- Pictures and videos, stored as rows, so that any process on any machine can serve them.

-- name: find(media_id, viewer_id)
-- One's own always, another user's with access. A blocker no longer sees the media of the user they blocked. The blocked
-- user still sees what the blocker had then, because a missing picture would reveal the block, but nothing newer.
select m.media_id::text, m.owner_id::text, m.kind, m.content_type, m.byte_size
from media m
join users owner on owner.user_id = m.owner_id and owner.deleted_at is null
where m.media_id = :media_id and m.detached_at is null
    and (
        m.owner_id = :viewer_id
        or (
            exists (select from access_grants g where g.user_id = :viewer_id and g.ended_at is null)
            and not exists (
                select from blocks b
                where b.blocker_id = :viewer_id and b.blocked_id = m.owner_id
            )
            and not is_after_parting(:viewer_id::uuid, m.media_id)
        )
    );

-- name: read(media_id, first_seq, last_seq)
-- The chunks from first_seq to last_seq in one piece.
select string_agg(bytes, ''::bytea order by seq)
from media_chunks
where media_id = :media_id and seq between :first_seq and :last_seq;

-- name: create(media_id, owner_id, kind, content_type, byte_size, now)!
-- A new file settles the removal of the old one.
with answered as (
    update removals set settled_at = coalesce(:now::timestamptz, clock_timestamp())
    where user_id = :owner_id and kind = :kind and settled_at is null
)
insert into media (media_id, owner_id, kind, content_type, byte_size, created_at)
values (
    :media_id, :owner_id, :kind, :content_type, :byte_size, coalesce(:now::timestamptz, clock_timestamp())
);

-- name: write_chunk(media_id, seq, bytes)!
insert into media_chunks (media_id, seq, bytes) values (:media_id, :seq, :bytes);

-- name: delete_older(owner_id, kind, media_id)!
-- Chunks are deleted with them (cascade). With a null media_id: all of that kind.
delete from media where owner_id = :owner_id and kind = :kind and media_id is distinct from :media_id::uuid;
