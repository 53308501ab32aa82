-- Figures about moderation.

-- name: figures(first, last)
with matters as (
    select 'report' as subject, reason as kind, created_at as began_at, reviewed_at as decided_at,
        verdict = 'upheld' as is_action,
        exists (
            select from ban_reports join bans using (ban_id)
            where ban_reports.report_id = reports.report_id and bans.decided_by is null
        ) as is_automatic,
        false as is_reversed
    from reports
    union all
    select 'ban', rule, created_at, created_at, true, decided_by is null,
        lifted_at is not null and (until_at is null or lifted_at < until_at)
    from bans
    union all
    select 'removal', kind, removed_at, removed_at, true, false, coalesce(verdict = 'overturned', false) from removals
    union all
    select 'ban appeal', 'ban', created_at, decided_at, verdict = 'overturned', false, false from appeals
    union all
    select 'removal appeal', kind, appealed_at, decided_at, verdict = 'overturned', false, false
    from removals where appealed_at is not null
    union all
    select 'notice', kind, created_at, decided_at, outcome = 'action', false, false from notices
)
select
    subject, kind, count(*) as received,
    count(*) filter (where is_action) as action,
    count(*) filter (where decided_at is not null and not is_action) as "noAction",
    count(*) filter (where decided_at is null) as waiting,
    count(*) filter (where is_automatic) as automatic,
    count(*) filter (where is_reversed) as reversed,
    round((percentile_cont(0.5) within group (order by hours))::numeric, 1)::float8 as "medianHours",
    round(max(hours)::numeric, 1)::float8 as "longestHours"
from matters
cross join lateral (
    select case when subject not in ('ban', 'removal') then extract(epoch from decided_at - began_at) / 3600 end::float8 as hours
) as times
where began_at >= :first::date::timestamp at time zone 'UTC'
    and began_at < (:last::date + 1)::timestamp at time zone 'UTC'
group by subject, kind
order by array_position(array['report', 'ban', 'removal', 'ban appeal', 'removal appeal', 'notice'], subject), kind;
