-- The sessions that block a migration. Their queries are left out: they may contain users' data.

-- name: open_transactions(own_pids)
-- Transactions that have been open for at least a second, the oldest first.
select
    pid, coalesce(nullif(application_name, ''), usename::text, '') as program, coalesce(state, '') as state,
    extract(epoch from clock_timestamp() - xact_start)::integer as seconds
from pg_stat_activity
where datname = current_database() and xact_start < clock_timestamp() - interval '1 second' and pid <> all(:own_pids)
order by xact_start
limit 3;
