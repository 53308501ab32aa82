-- Introductions of two users by a third, who made a link to the one and gave it to the other.

-- name: make_link(introducer_id, person_id, token, days, now)
-- An existing valid link is reused and its expiry renewed. No row: no such user, or one that the introducer has blocked or reported.
-- An introducer whom the person has blocked also gets a link, because a refusal would reveal the block; it has no effect (`make`).
insert into introduction_links as l (token, introducer_id, person_id, expires_at)
select :token, :introducer_id, p.user_id, at + make_interval(days => :days)
from users p
cross join coalesce(:now::timestamptz, clock_timestamp()) as at
where p.user_id = :person_id and p.deleted_at is null and p.user_id <> :introducer_id
    and not exists (
        select from bans b where b.user_id = p.user_id and b.lifted_at is null and (b.until_at is null or b.until_at > at)
    )
    and not exists (select from blocks b where b.blocker_id = :introducer_id and b.blocked_id = p.user_id)
    and not exists (select from reports r where r.reporter_id = :introducer_id and r.reported_id = p.user_id)
on conflict (introducer_id, person_id) do update
set token = case when l.expires_at > coalesce(:now::timestamptz, clock_timestamp()) then l.token else excluded.token end,
    expires_at = excluded.expires_at
returning token, expires_at;

-- name: find_link(introducer_id, person_id, now)
select token, expires_at from introduction_links
where introducer_id = :introducer_id and person_id = :person_id
    and expires_at > coalesce(:now::timestamptz, clock_timestamp());

-- name: find(token, now)
-- The introducer and the person, unless one is deleted or banned or the introducer has blocked the person. The person's blocks do not show.
select l.introducer_id, a.name as introducer_name, l.person_id, p.name as person_name
from introduction_links l
join users a on a.user_id = l.introducer_id and a.deleted_at is null
join users p on p.user_id = l.person_id and p.deleted_at is null
cross join coalesce(:now::timestamptz, clock_timestamp()) as at
where l.token = :token and l.expires_at > at
    and not exists (
        select from bans b
        where b.user_id in (l.introducer_id, l.person_id) and b.lifted_at is null and (b.until_at is null or b.until_at > at)
    )
    and not exists (select from blocks b where b.blocker_id = l.introducer_id and b.blocked_id = l.person_id)
    and not exists (select from reports r where r.reporter_id = l.introducer_id and r.reported_id = l.person_id);

-- name: make(token, newcomer_id, now)!
-- Once per pair. No introduction if the person has a block or a report with the introducer or the newcomer.
insert into introductions (newcomer_id, person_id, introducer_id, made_at)
select :newcomer_id, l.person_id, l.introducer_id, at
from introduction_links l
cross join coalesce(:now::timestamptz, clock_timestamp()) as at
where l.token = :token and :newcomer_id::uuid not in (l.introducer_id, l.person_id)
    and not exists (
        select from blocks b
        where (b.blocker_id = l.person_id and b.blocked_id in (l.introducer_id, :newcomer_id::uuid))
            or (b.blocked_id = l.person_id and b.blocker_id in (l.introducer_id, :newcomer_id::uuid))
    )
    and not exists (
        select from reports r
        where (r.reporter_id = l.person_id and r.reported_id in (l.introducer_id, :newcomer_id::uuid))
            or (r.reported_id = l.person_id and r.reporter_id in (l.introducer_id, :newcomer_id::uuid))
    )
on conflict do nothing;

-- name: seen_by(viewer_id, days, now)
-- Who introduced whom to the viewer, without introducers who are deleted, banned, or have a block or a report with the viewer.
select i.other_id, a.user_id, a.name, a.gender, a.selfie_id
from (
    select person_id as other_id, introducer_id, made_at from introductions where newcomer_id = :viewer_id
    union all
    select newcomer_id, introducer_id, made_at from introductions where person_id = :viewer_id
) as i
join users a on a.user_id = i.introducer_id and a.deleted_at is null
cross join coalesce(:now::timestamptz, clock_timestamp()) as at
where i.made_at > at - make_interval(days => :days)
    and not exists (
        select from bans b where b.user_id = a.user_id and b.lifted_at is null and (b.until_at is null or b.until_at > at)
    )
    and not exists (
        select from blocks b
        where (b.blocker_id, b.blocked_id) in ((a.user_id, :viewer_id::uuid), (:viewer_id::uuid, a.user_id))
    )
    and not exists (
        select from reports r
        where (r.reporter_id, r.reported_id) in ((a.user_id, :viewer_id::uuid), (:viewer_id::uuid, a.user_id))
    );
