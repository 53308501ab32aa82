-- Reports, one open report per pair, with their evidence.

-- name: have_met(reporter_id, reported_id)
-- In a call that connected, or in a ring that the reporter received. A ring that the reporter sent is no meeting.
select exists (
    select from invite_outcomes
    left join calls using (call_id)
    where least(invite_outcomes.caller_id, invite_outcomes.callee_id) = least(:reporter_id::uuid, :reported_id::uuid)
        and greatest(invite_outcomes.caller_id, invite_outcomes.callee_id) = greatest(:reporter_id::uuid, :reported_id::uuid)
        and (invite_outcomes.callee_id = :reporter_id::uuid or calls.connected_at is not null)
);

-- name: lock_reported(user_id)
-- Serialises reports about a user; null if there never was such a user.
select deleted_at is not null as is_deleted from users where user_id = :user_id for no key update;

-- name: find_open(reporter_id, reported_id)
-- Locked: a decision at the same time either comes first, or sees what is added.
select report_id::text, reason, source, call_id::text, text
from reports where reporter_id = :reporter_id and reported_id = :reported_id and verdict is null
for no key update;

-- name: create(report_id, reporter_id, reported_id, call_id, reason, text, source, now)!
insert into reports (
    report_id, reporter_id, reported_id, reported_name, call_id, reason, text, source, addresses, created_at, grave_since
)
select
    :report_id, :reporter_id, user_id, case when deleted_at is null then name end, :call_id, :reason, :text, :source,
    array(select address_hash from seen_addresses where seen_addresses.user_id = :reporter_id), at, at
from users, coalesce(:now::timestamptz, clock_timestamp()) as at
where user_id = :reported_id;

-- name: add(addition_id, report_id, reporter_id, call_id, reason, text, source, now)!
-- A further report raises the reason to the gravest one, and the source to a meeting; it never lowers them.
insert into report_additions (addition_id, report_id, reason, source, call_id, text, created_at)
values (
    :addition_id, :report_id, :reason, :source, :call_id, :text, coalesce(:now::timestamptz, clock_timestamp())
);
update reports
set reason = case when report_gravity(:reason) < report_gravity(reason) then :reason else reason end,
    source = case when :source = 'met' then 'met' else source end,
    call_id = coalesce(call_id, :call_id),
    grave_since = case
        when report_gravity(:reason) < report_gravity(reason) then coalesce(:now::timestamptz, clock_timestamp())
        else grave_since
    end,
    addresses = array(
        select unnest(addresses)
        union
        select address_hash from seen_addresses where seen_addresses.user_id = :reporter_id
    )
where report_id = :report_id and verdict is null;

-- name: hold_media(report_id, reported_id)!
-- What the card shows now, at most three of a kind per report. Media named here are detached instead of deleted (hold_reported_media).
insert into report_media (report_id, media_id, kind)
select :report_id, media_id, kind from media
where owner_id = :reported_id and detached_at is null
    and (select count(*) from report_media h where h.report_id = :report_id and h.kind = media.kind) < 3
on conflict do nothing;

-- name: attach_lines(report_id, call_id, message_ids)!
-- Only lines of that call.
insert into report_lines (report_id, message_id, sender_id, text, sent_at)
select :report_id, message_id, sender_id, text, sent_at
from call_messages
where call_id = :call_id and message_id = any(:message_ids::uuid[])
on conflict do nothing;

-- name: attach_frame(report_id, bytes, preview)!
-- At most five pictures per report; the first ones stay.
insert into report_frames (report_id, number, bytes, preview)
select :report_id, count(*), :bytes, :preview from report_frames where report_id = :report_id having count(*) < 5;

-- name: open_about(reported_id, now)
-- Undecided reports about a user, without those that an automatic ban has counted and those of deleted users. `tree` is
-- the reporter with the two inviters before them; `addresses` are the keyed hashes of the reporter's
-- addresses, then and recently.
select
    report_id::text, r.reporter_id::text, r.reason, r.source,
    reporter.successful_calls > 0 as has_called, reporter.created_at <= at - interval '1 day' as is_day_old,
    (
        select count(*) from reports o where o.reporter_id = r.reporter_id and o.verdict = 'dismissed'
    )::integer as dismissed,
    (
        select count(*)
        from reports o, coalesce(r.grave_since, r.created_at) as since, coalesce(o.grave_since, o.created_at) as before
        where o.reporter_id = r.reporter_id and o.reason = 'minor' and o.verdict is null
            and before > since - interval '1 day' and (before, o.report_id) <= (since, r.report_id)
    )::integer as minors,
    array_remove(array[r.reporter_id, first.owner_id, second.owner_id], null)::text[] as tree,
    array(
        select encode(address_hash, 'hex')
        from (
            select unnest(r.addresses) as address_hash
            union
            select address_hash from seen_addresses where seen_addresses.user_id = r.reporter_id
        ) as known
    ) as addresses
from coalesce(:now::timestamptz, clock_timestamp()) as at, reports r
join users reporter on reporter.user_id = r.reporter_id and reporter.deleted_at is null
left join lateral (
    select owner_id from invite_code_uses join invite_codes using (code) where user_id = r.reporter_id
) first on true
left join lateral (
    select owner_id from invite_code_uses join invite_codes using (code) where user_id = first.owner_id
) second on true
where r.reported_id = :reported_id and r.verdict is null and not exists (
    select from ban_reports join bans using (ban_id)
    where ban_reports.report_id = r.report_id and bans.decided_by is null
)
order by r.created_at, r.report_id;
