-- A user's own reports.

-- name: of_user(user_id, most)
-- A report of a card has no name: whether there is one would tell if the user has been deleted since.
select
    report_id::text, source,
    case when u.deleted_at is null and source = 'met' then coalesce(r.reported_name, u.name) end as name, reason, r.created_at,
    (select count(*) from report_additions a where a.report_id = r.report_id)::integer as additions,
    case verdict when 'upheld' then 'action' when 'dismissed' then 'none' end as outcome, reviewed_at as decided_at
from reports r join users u on u.user_id = reported_id
where reporter_id = :user_id
order by r.created_at desc, report_id
limit :most;
