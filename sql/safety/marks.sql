-- Marks of deleted users who were reported, as keyed hashes, and who may be one of them or a banned user.

-- name: saw(user_id, device_hash, now)!
-- Recorded at most once an hour.
insert into seen_devices (user_id, device_hash, seen_at)
values (:user_id, :device_hash, coalesce(:now::timestamptz, clock_timestamp()))
on conflict (user_id, device_hash) do update set seen_at = excluded.seen_at
where seen_devices.seen_at < excluded.seen_at - interval '1 hour';

-- name: may_be_reported(user_id, days, now)
-- Reported, or met by someone in the last days: in a call that connected, or in a ring that the other received.
select
    exists (select from reports where reported_id = :user_id and verdict is distinct from 'dismissed')
    or exists (select from calls where caller_id = :user_id and connected_at > at - make_interval(days => :days))
    or exists (select from calls where callee_id = :user_id and connected_at > at - make_interval(days => :days))
    or exists (
        select from invite_outcomes
        where caller_id = :user_id and call_id is null and decided_at > at - make_interval(days => :days)
    )
from coalesce(:now::timestamptz, clock_timestamp()) as at;

-- name: email_of(user_id)
select email_key from accounts where user_id = :user_id;

-- name: keep(user_id, email_hash, now)!
insert into person_marks (user_id, kind, hash, kept_at)
select :user_id, kind, hash, coalesce(:now::timestamptz, clock_timestamp())
from (
    select 'email' as kind, :email_hash::bytea as hash
    union all
    select 'address', address_hash from seen_addresses where user_id = :user_id
    union all
    select 'device', device_hash from seen_devices where user_id = :user_id
) as marks
where hash is not null
on conflict do nothing;

-- name: agreeing(user_id, email_hash, now)
-- Deleted users with the reports that still exist (those that were dismissed do not count, and without one a mark says
-- nothing), and banned users, by the addresses and browsers of the last days.
with mine as (
    select 'email' as kind, :email_hash::bytea as hash
    union all
    select 'address', address_hash from seen_addresses where user_id = :user_id
    union all
    select 'device', device_hash from seen_devices where user_id = :user_id
),
banned as (
    select user_id from bans
    where user_id <> :user_id and lifted_at is null
        and (until_at is null or until_at > coalesce(:now::timestamptz, clock_timestamp()))
),
others as (
    select m.user_id, kind
    from person_marks m join mine using (kind, hash)
    where m.user_id <> :user_id
        and exists (select from reports r where r.reported_id = m.user_id and r.verdict is distinct from 'dismissed')
    union all
    select user_id, 'address' from banned join seen_addresses using (user_id)
    where address_hash in (select hash from mine where kind = 'address')
    union all
    select user_id, 'device' from banned join seen_devices using (user_id)
    where device_hash in (select hash from mine where kind = 'device')
)
select
    o.user_id::text, array_agg(distinct o.kind order by o.kind) as kinds, users.deleted_at,
    (select count(*) from reports r where r.reported_id = o.user_id and r.verdict is distinct from 'dismissed')::integer as reports,
    (select count(*) from reports r where r.reported_id = o.user_id and r.verdict is null)::integer as open_reports
from others o join users using (user_id)
where users.deleted_at is not null or o.user_id in (select user_id from banned)
group by o.user_id, users.deleted_at
order by count(distinct o.kind) desc, users.deleted_at desc nulls first
limit 20;
