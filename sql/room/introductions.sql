-- Two people introduced by a third, who made a link to the one and gave it to the other.

-- name: make_link(introducer_id, person_id, token, days, now)
-- The same link while it holds, with its time begun anew. None: there is nobody, or nobody this person wants to see.
-- Who was blocked gets one like any other, for a refusal would tell them; it introduces nobody (make).
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
-- Who introduces whom, while both are here and the introducer has not turned away. What the other did, nobody sees.
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
-- Once a pair; nobody is introduced to, or by, somebody with whom a block or a report stands between them.
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
-- Who introduced whom to the viewer. Nobody who is gone or banned, and nobody the viewer has to do with no more.
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
