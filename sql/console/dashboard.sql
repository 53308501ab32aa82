-- The figures of the day (UTC), in one statement.

-- name: figures(success_ms, now)
select
    (select count(*) from calls where state <> 'ended') as calls_now,
    (select count(*) from calls where started_at >= day) as calls_today,
    (select count(*) from calls where started_at >= day and state = 'ended') as ended_today,
    (select count(*) from calls where started_at >= day and state = 'ended' and connected_ms >= :success_ms) as good_today,
    reports, reports_since, appeals, appeals_since, notices, notices_since,
    (select count(*) from checkouts where settled_at >= day and state = 'paid') as payments_today
from coalesce(:now::timestamptz, clock_timestamp()) as at, date_trunc('day', at) as day,
    lateral (select count(*) as reports, min(created_at) as reports_since from reports where verdict is null) r,
    lateral (
        select count(*) as appeals, min(sent_at) as appeals_since
        from (
            select a.created_at as sent_at from appeals a join bans using (ban_id)
            where verdict is null and lifted_at is null and (until_at is null or until_at > at)
            union all
            select appealed_at from removals where appealed_at is not null and verdict is null
        ) waiting
    ) a,
    lateral (select count(*) as notices, min(created_at) as notices_since from notices where outcome is null) n;
