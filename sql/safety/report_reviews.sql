-- Reports for moderators, and their decisions.

-- name: queue(after_rank, after_light, after_at, after_id, most)
-- Undecided reports by gravity: minor, nudity, then the rest. Within each those that count towards a ban first, then the
-- oldest first.
with open as (
select
    report_id::text, reporter_id::text, reported_id::text, call_id::text, source, reason, text, r.created_at,
    coalesce(r.grave_since, r.created_at) as grave_since, reporter.name as reporter_name, reported.name as reported_name, r.reported_name as name_then,
    r.verdict, r.reviewed_by::text, r.reviewed_at,
    (select count(*) from report_lines l where l.report_id = r.report_id)::integer as lines,
    (select count(*) from report_frames f where f.report_id = r.report_id)::integer as frames,
    (select count(*) from report_media m where m.report_id = r.report_id)::integer as media,
    (select count(*) from reports o where o.reporter_id = r.reporter_id and o.verdict = 'upheld')::integer as upheld,
    (select count(*) from reports o where o.reporter_id = r.reporter_id and o.verdict = 'dismissed')::integer as dismissed
from reports r
join users reporter on reporter.user_id = r.reporter_id
join users reported on reported.user_id = r.reported_id
where r.verdict is null
)
select * from open
where (least(report_gravity(reason), 3), source = 'card', created_at, report_id::uuid)
    > (:after_rank, :after_light, :after_at, :after_id::uuid)
order by least(report_gravity(reason), 3), source = 'card', created_at, report_id
limit :most;

-- name: some(report_id, reported_id, reporter_id, most)
-- One report, or all about a user, or all by a user (two of the three are null); newest first.
select
    report_id::text, reporter_id::text, reported_id::text, call_id::text, source, reason, text, r.created_at,
    coalesce(r.grave_since, r.created_at) as grave_since, reporter.name as reporter_name, reported.name as reported_name, r.reported_name as name_then,
    r.verdict, r.reviewed_by::text, r.reviewed_at,
    (select count(*) from report_lines l where l.report_id = r.report_id)::integer as lines,
    (select count(*) from report_frames f where f.report_id = r.report_id)::integer as frames,
    (select count(*) from report_media m where m.report_id = r.report_id)::integer as media,
    (select count(*) from reports o where o.reporter_id = r.reporter_id and o.verdict = 'upheld')::integer as upheld,
    (select count(*) from reports o where o.reporter_id = r.reporter_id and o.verdict = 'dismissed')::integer as dismissed
from reports r
join users reporter on reporter.user_id = r.reporter_id
join users reported on reported.user_id = r.reported_id
where r.report_id = :report_id::uuid or r.reported_id = :reported_id::uuid or r.reporter_id = :reporter_id::uuid
order by r.created_at desc, r.report_id
limit :most;

-- name: lines(report_id)
select message_id::text, sender_id::text, text, sent_at from report_lines where report_id = :report_id order by sent_at, message_id;

-- name: additions(report_id)
select reason, source, call_id::text, text, created_at from report_additions where report_id = :report_id order by created_at;

-- name: still(report_id, media_id)
select frame from report_media join media using (media_id) where report_id = :report_id and media_id = :media_id;

-- name: preview(report_id, media_id)
select preview from report_media join media using (media_id) where report_id = :report_id and media_id = :media_id;

-- name: frame_preview(report_id, number)
select preview from report_frames where report_id = :report_id and number = :number;

-- name: media(report_id)
-- What the card showed at the time of the report, also if it was deleted later.
select media_id::text, report_media.kind, content_type, byte_size, detached_at, preview is not null as has_preview, frame is not null as has_frame
from report_media join media using (media_id)
where report_id = :report_id
order by report_media.kind, created_at;

-- name: find_media(report_id, media_id)
select media_id::text, owner_id::text, media.kind, content_type, byte_size
from report_media join media using (media_id)
where report_id = :report_id and media_id = :media_id;

-- name: frame(report_id, number)
select bytes from report_frames where report_id = :report_id and number = :number;

-- name: lock_reported(report_id)!
-- Serialises decisions about a user, so that the last one of two at once sees the other.
select from users where user_id = (select reported_id from reports where report_id = :report_id) for no key update;

-- name: judge(report_id, moderator_id, verdict, now)!
update reports
set verdict = :verdict, reviewed_by = :moderator_id, reviewed_at = coalesce(:now::timestamptz, clock_timestamp())
where report_id = :report_id and verdict is null;
