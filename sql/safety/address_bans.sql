-- Addresses of banned users, as keyed hashes, banned only while the ban is active.

-- name: saw(user_id, address_hash, now)!
-- Prepared.
-- Recorded at most once an hour.
insert into seen_addresses (user_id, address_hash, seen_at)
values (:user_id, :address_hash, coalesce(:now::timestamptz, clock_timestamp()))
on conflict (user_id, address_hash) do update set seen_at = excluded.seen_at
where seen_addresses.seen_at < excluded.seen_at - interval '1 hour';

-- name: ban(ban_id, hours, days, now)!
-- All addresses at which the user was seen recently.
insert into address_bans (ban_id, address_hash, until_at)
select ban_id, address_hash, at + make_interval(hours => :hours)
from bans join seen_addresses using (user_id), coalesce(:now::timestamptz, clock_timestamp()) as at
where ban_id = :ban_id and seen_at > at - make_interval(days => :days)
on conflict do nothing;

-- name: is_banned(address_hash, now)
select exists (
    select from address_bans join bans using (ban_id), coalesce(:now::timestamptz, clock_timestamp()) as at
    where address_hash = :address_hash and address_bans.until_at > at
        and lifted_at is null and (bans.until_at is null or bans.until_at > at)
);

-- name: forget_bans(now)!
delete from address_bans where until_at < coalesce(:now::timestamptz, clock_timestamp());

-- name: forget_seen(days, most, now)!
delete from seen_addresses where (user_id, address_hash) in (
    select user_id, address_hash from seen_addresses
    where seen_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
    order by seen_at limit :most for update skip locked
);
