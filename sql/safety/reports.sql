-- Reports, once a pair, and what was attached to them.

-- name: have_met(one_id, other_id)
-- In a ring together at least, whatever came of it.
select exists (
    select from invite_outcomes
    where least(caller_id, callee_id) = least(:one_id::uuid, :other_id::uuid)
        and greatest(caller_id, callee_id) = greatest(:one_id::uuid, :other_id::uuid)
);

-- name: lock_reported(user_id)
-- Reports about one person follow each other; null: there is nobody.
select user_id::text from users where user_id = :user_id and deleted_at is null for no key update;

-- name: create(report_id, reporter_id, reported_id, call_id, reason, text, source, now)
-- Once a pair; but who reported a card may report what happened in a meeting later, while nobody has looked.
insert into reports (report_id, reporter_id, reported_id, call_id, reason, text, source, created_at)
values (
    :report_id, :reporter_id, :reported_id, :call_id, :reason, :text, :source,
    coalesce(:now::timestamptz, clock_timestamp())
)
on conflict (reporter_id, reported_id) do update
set call_id = excluded.call_id, reason = excluded.reason, text = excluded.text, source = excluded.source
where reports.source = 'card' and excluded.source = 'met' and reports.verdict is null
returning report_id::text;

-- name: attach_lines(report_id, call_id, message_ids)!
-- Only lines of that call.
insert into report_lines (report_id, message_id, sender_id, text, sent_at)
select :report_id, message_id, sender_id, text, sent_at
from call_messages
where call_id = :call_id and message_id = any(:message_ids::uuid[])
on conflict do nothing;

-- name: attach_frame(report_id, bytes)!
insert into report_frames (report_id, bytes) values (:report_id, :bytes)
on conflict (report_id) do update set bytes = excluded.bytes;

-- name: open_about(reported_id)
-- Those that may count, with the standing of who wrote them.
select
    report_id::text, reporter_id::text, reason,
    (select count(*) from reports o where o.reporter_id = r.reporter_id and o.verdict = 'upheld')::integer as upheld,
    (select count(*) from reports o where o.reporter_id = r.reporter_id and o.verdict = 'dismissed')::integer as dismissed
from reports r
where r.reported_id = :reported_id and r.source = 'met' and r.verdict is null
order by r.created_at, r.report_id;
