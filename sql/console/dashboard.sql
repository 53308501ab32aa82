-- The figures of the day (UTC), in one statement.

-- name: figures(success_ms, now)
select
    (select count(*) from calls where state <> 'ended') as calls_now,
    (select count(*) from calls where started_at >= day) as calls_today,
    (select count(*) from calls where started_at >= day and state = 'ended') as ended_today,
    (select count(*) from calls where started_at >= day and state = 'ended' and connected_ms >= :success_ms) as good_today,
    (select count(*) from reports where verdict is null) as reports,
    (select count(*) from appeals join bans using (ban_id) where verdict is null and lifted_at is null and (until_at is null or until_at > at))
        + (select count(*) from removals where appealed_at is not null and verdict is null) as appeals,
    (select count(*) from notices where outcome is null) as notices,
    (select count(*) from checkouts where settled_at >= day and state = 'paid') as payments_today
from coalesce(:now::timestamptz, clock_timestamp()) as at, date_trunc('day', at) as day;
