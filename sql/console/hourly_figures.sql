-- The figures of each hour (UTC). A ring that was accepted is a call.

-- name: record(online, success_ms, now)!
-- This hour, and the one before if it was recorded: calls of it may have ended since. Any process may do it.
insert into hourly_figures (hour, online, calls, good_calls, declined, cancelled, missed, payments)
select
    began,
    case when began = this then :online else 0 end,
    (select count(*) from calls where started_at >= began and started_at < ended),
    (select count(*) from calls where started_at >= began and started_at < ended and state = 'ended' and connected_ms >= :success_ms),
    (select count(*) from invite_outcomes where call_id is null and decided_at >= began and decided_at < ended and outcome = 'declined'),
    (select count(*) from invite_outcomes where call_id is null and decided_at >= began and decided_at < ended and outcome in ('cancelled', 'gone')),
    (select count(*) from invite_outcomes where call_id is null and decided_at >= began and decided_at < ended and outcome = 'missed'),
    (select count(*) from checkouts where settled_at >= began and settled_at < ended and state = 'paid')
from coalesce(:now::timestamptz, clock_timestamp()) as at,
    date_trunc('hour', at) as this,
    generate_series(this - interval '1 hour', this, interval '1 hour') as began,
    cast(began + interval '1 hour' as timestamptz) as ended
where began = this or exists (select from hourly_figures where hour = began)
on conflict (hour) do update set
    online = greatest(hourly_figures.online, excluded.online),
    calls = excluded.calls,
    good_calls = excluded.good_calls,
    declined = excluded.declined,
    cancelled = excluded.cancelled,
    missed = excluded.missed,
    payments = excluded.payments;

-- name: of_last(hours, now)
-- Oldest first, every hour up to this one; those without a row have no figures.
select began as hour, online, calls, good_calls, declined, cancelled, missed, payments
from date_trunc('hour', coalesce(:now::timestamptz, clock_timestamp())) as this,
    generate_series(this - (:hours - 1) * interval '1 hour', this, interval '1 hour') as began
    left join hourly_figures on hour = began
order by began;

-- name: forget(now)!
delete from hourly_figures where hour < coalesce(:now::timestamptz, clock_timestamp()) - interval '8 days';
