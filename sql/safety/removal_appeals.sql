-- Appeals against removals: one per removal, decided by another moderator than the removal.

-- name: file(removal_id, text, now)!
update removals set appeal_text = :text, appealed_at = coalesce(:now::timestamptz, clock_timestamp())
where removal_id = :removal_id and appealed_at is null;

-- name: hand_over_if_alone(removal_id)!
-- No other member of staff can decide it.
update removals set handed_at = appealed_at
where removal_id = :removal_id and handed_at is null and not exists (
    select from staff where disabled_at is null and password_hash is not null and staff_id is distinct from removed_by
);

-- name: hand_over(removal_id, now)!
update removals set handed_at = coalesce(:now::timestamptz, clock_timestamp())
where removal_id = :removal_id and handed_at is null and verdict is null;

-- name: queue(most)
select
    removal_id::text, removals.user_id::text, users.name, removals.kind, rule, reason, removed_at, appeal_text as text,
    appealed_at as filed_at, removed_by::text, handed_at
from removals join users using (user_id)
where appealed_at is not null and verdict is null
order by appealed_at
limit :most;

-- name: open(removal_id)
select
    removal_id::text, removals.user_id::text, users.name, removals.kind, rule, reason, removed_at, appeal_text as text,
    appealed_at as filed_at, removed_by::text, handed_at
from removals join users using (user_id)
where removal_id = :removal_id and appealed_at is not null and verdict is null;

-- name: held(removal_id)
select media_id::text, owner_id::text, media.kind, content_type, byte_size
from removals join media using (media_id)
where removal_id = :removal_id;

-- name: lock_user(user_id)!
-- As a new file of the user does.
select from users where user_id = :user_id for update;

-- name: decide(removal_id, moderator_id, verdict, reply, now)!
update removals
set verdict = :verdict, reply = :reply, decided_by = :moderator_id, decided_at = coalesce(:now::timestamptz, clock_timestamp())
where removal_id = :removal_id and appealed_at is not null and verdict is null and (:moderator_id::uuid is not null or handed_at is not null);

-- name: restore(removal_id, media_id, now)!
-- A copy with a new id, if the card has no newer file of the kind.
with held as (
    select m.*
    from removals r
    join media m on m.media_id = r.media_id
    join users u on u.user_id = r.user_id and u.deleted_at is null
    where r.removal_id = :removal_id and case when r.kind = 'selfie' then u.selfie_id else u.video_id end is null
), copied as (
    insert into media (media_id, owner_id, kind, content_type, byte_size, created_at, hashes, preview, frame)
    select
        :media_id, owner_id, kind, content_type, byte_size, coalesce(:now::timestamptz, clock_timestamp()), hashes, preview, frame
    from held
), chunks as (
    insert into media_chunks (media_id, seq, bytes)
    select :media_id, seq, bytes from media_chunks where media_id = (select media_id from held)
), settled as (
    update removals set settled_at = coalesce(settled_at, :now::timestamptz, clock_timestamp()) where removal_id = :removal_id
)
update users
set selfie_id = case when held.kind = 'selfie' then :media_id::uuid else selfie_id end,
    video_id = case when held.kind = 'video' then :media_id::uuid else video_id end
from held
where user_id = held.owner_id;
