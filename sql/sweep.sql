-- name: beat(process_id, dead_seconds)
-- Prepared.
with beaten as (
    insert into processes (process_id, seen_at) values (:process_id, clock_timestamp())
    on conflict (process_id) do update set seen_at = excluded.seen_at
    returning seen_at
)
select
    (select seen_at from beaten) as now,
    (select seen_at from processes where process_id = :process_id) as before,
    array(
        select process_id from processes
        where process_id <> :process_id and seen_at < clock_timestamp() - :dead_seconds * interval '1 second'
    ) as dead;

-- name: bury(process_ids)!
delete from processes where process_id = any(:process_ids::text[]);

-- name: depart(process_id)!
delete from processes where process_id = :process_id;
