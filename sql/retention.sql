-- Deletion of expired data, some hundred rows at a time. No statement waits for a lock: locked rows are left for the next round.

-- name: chat(days, most, now)!
delete from call_messages where message_id in (
    select message_id from call_messages
    where sent_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
    order by sent_at limit :most for update skip locked
);

-- name: handles(days, most, now)!
-- As long as the chat of the call in which they were given.
delete from contacts where (call_id, user_id) in (
    select call_id, user_id from contacts
    where said_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
    limit :most for update skip locked
);

-- name: reports(days, most, now)!
-- With their evidence, and only after a decision. A report behind an active ban is kept as long as the ban is.
delete from reports where report_id in (
    select report_id from reports r
    where reviewed_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
        and not exists (
            select from ban_reports join bans using (ban_id)
            where ban_reports.report_id = r.report_id and lifted_at is null
                and (until_at is null or until_at > coalesce(:now::timestamptz, clock_timestamp()))
        )
    order by reviewed_at limit :most for update skip locked
);

-- name: held_media(most)!
-- Deleted by their owners, and no longer part of a report or a removal.
delete from media where media_id in (
    select media_id from media
    where detached_at is not null and not exists (select from report_media h where h.media_id = media.media_id)
        and not exists (select from removals r where r.media_id = media.media_id)
    order by detached_at limit :most for update skip locked
);

-- name: words_of_the_deleted(most)!
-- Reports decided after their writer was deleted: only the count stays.
with judged as (
    select report_id from reports join users on user_id = reporter_id
    where deleted_at is not null and verdict is not null and (
        text is not null
        or exists (select from report_frames f where f.report_id = reports.report_id)
        or exists (select from report_lines l where l.report_id = reports.report_id)
    )
    limit :most for update of reports skip locked
), frames as (
    delete from report_frames using judged where report_frames.report_id = judged.report_id
), lines as (
    delete from report_lines using judged where report_lines.report_id = judged.report_id
)
update reports set text = null from judged where reports.report_id = judged.report_id;

-- name: bans(days, most, now)!
-- Long expired. Appeals and banned addresses are deleted with them.
delete from bans where ban_id in (
    select ban_id from bans
    where coalesce(lifted_at, until_at) < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
    limit :most for update skip locked
);

-- name: undecided_bans(days, most, now)!
-- Temporary bans without an end, of users deleted before a decision: none will follow, so they expire like reports.
delete from bans where ban_id in (
    select ban_id from bans b join users u using (user_id)
    where b.kind = 'temporary' and b.until_at is null and b.lifted_at is null
        and u.deleted_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
    limit :most for update of b skip locked
);

-- name: banned_emails(most, now)!
-- Needed only while their ban is active.
delete from banned_emails where ban_id in (
    select ban_id from banned_emails e join bans b using (ban_id)
    where b.lifted_at is not null or b.until_at < coalesce(:now::timestamptz, clock_timestamp())
    limit :most for update of e skip locked
);

-- name: appeals(days, most, now)!
-- The text of an appeal is kept no longer than reports are, even under a permanent ban.
delete from appeals where ban_id in (
    select ban_id from appeals
    where decided_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
    limit :most for update skip locked
);

-- name: notices(days, most, now)!
delete from notices where notice_id in (
    select notice_id from notices
    where decided_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
    order by decided_at limit :most for update skip locked
);

-- name: person_marks(days, unreported_days, most, now)!
delete from person_marks where (user_id, kind, hash) in (
    select user_id, kind, hash from person_marks m
    where kept_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => case when exists (
        select from reports r where r.reported_id = m.user_id and r.verdict is distinct from 'dismissed'
    ) then :days else :unreported_days end)
    order by kept_at limit :most for update skip locked
);

-- name: seen_devices(days, most, now)!
delete from seen_devices where (user_id, device_hash) in (
    select user_id, device_hash from seen_devices
    where seen_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
    order by seen_at limit :most for update skip locked
);

-- name: removed_pictures(days, most, now)!
delete from removed_pictures where picture_id in (
    select picture_id from removed_pictures
    where removed_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
    order by removed_at limit :most for update skip locked
);

-- name: alerts(days, most, now)!
delete from alerts where alert_id in (
    select alert_id from alerts
    where created_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
    order by alert_id limit :most for update skip locked
);

-- name: removals(days, most, now)!
-- Why a moderator removed something from a card, with what holds the file. Not while an appeal waits.
delete from removals where removal_id in (
    select removal_id from removals
    where removed_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
        and (appealed_at is null or verdict is not null)
    order by removed_at limit :most for update skip locked
);

-- name: rings(days, most, now)!
-- Rings that did not become a call.
delete from invite_outcomes where invite_id in (
    select invite_id from invite_outcomes
    where call_id is null
        and decided_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
    order by decided_at limit :most for update skip locked
);

-- name: cooldowns(most, now)!
delete from cooldowns where (low_id, high_id) in (
    select low_id, high_id from cooldowns
    where until_at < coalesce(:now::timestamptz, clock_timestamp())
    limit :most for update skip locked
);

-- name: sessions(days, unused, member_days, most, now)!
-- Ended or expired: after a while no client has their token any more. Those of deleted users: after some
-- minutes. Those ended by a ban are kept until the ban ends. A guest's last ones stay until the guest is
-- deleted (`unused_guests`).
delete from sessions where session_id in (
    select session_id
    from sessions s join users u using (user_id), coalesce(:now::timestamptz, clock_timestamp()) as at
    where (u.deleted_at is not null and s.ended_at < at - interval '5 minutes')
        or (
            u.deleted_at is null and s.ended_reason is distinct from 'banned'
            and least(s.ended_at, greatest(s.expires_at, s.renewed_at + make_interval(days => :member_days)))
                < at - make_interval(days => :days + :unused)
        )
    limit :most for update of s skip locked
);

-- name: events(days, most, now)!
-- Their ids are kept this long because Stripe may send an event again for days.
delete from stripe_events where event_id in (
    select event_id from stripe_events
    where received_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
    order by received_at limit :most for update skip locked
);

-- name: guesses(most, now)!
-- No rate window is longer than a day.
delete from guesses where guess_id in (
    select guess_id from guesses
    where guessed_at < coalesce(:now::timestamptz, clock_timestamp()) - interval '1 day'
    order by guess_id limit :most for update skip locked
);

-- name: recovery_links(most, now)!
delete from recovery_links where user_id in (
    select user_id from recovery_links
    where expires_at < coalesce(:now::timestamptz, clock_timestamp())
    limit :most for update skip locked
);

-- name: introduction_links(most, now)!
-- Links that were not used in time.
delete from introduction_links where token in (
    select token from introduction_links
    where expires_at < coalesce(:now::timestamptz, clock_timestamp())
    limit :most for update skip locked
);

-- name: refusals(most, now)!
delete from age_refusals where subject_hash in (
    select subject_hash from age_refusals
    where until_at < coalesce(:now::timestamptz, clock_timestamp())
    limit :most for update skip locked
);

-- name: age_checks(most, now)!
-- Checks that did not come back.
delete from age_checks where user_id in (
    select user_id from age_checks
    where begun_at < coalesce(:now::timestamptz, clock_timestamp()) - interval '1 hour'
    limit :most for update skip locked
);

-- name: unused_guests(days, member_days, most, now)
-- Guests who can no longer sign in: every session ended or expired days ago. Banned guests are kept until
-- their ban ends.
select user_id::text
from users u, coalesce(:now::timestamptz, clock_timestamp()) as at
where u.deleted_at is null
    and u.created_at < at - make_interval(days => :days)
    and not exists (select from accounts a where a.user_id = u.user_id)
    and not exists (select from live_seats l where l.user_id = u.user_id)
    and not exists (select from bans b where b.user_id = u.user_id and b.lifted_at is null and (b.until_at is null or b.until_at > at))
    and not exists (
        select from sessions s
        where s.user_id = u.user_id
            and case
                when s.ended_at is not null then s.ended_at
                when exists (select from access_grants g where g.user_id = u.user_id and g.ended_at is null)
                    then greatest(s.expires_at, s.renewed_at + make_interval(days => :member_days))
                else s.expires_at
            end > at - make_interval(days => :days)
    )
limit :most;

-- name: calls_of_nobody(most)
-- Both users have been deleted: it is in no one's history.
with over as (
    select call_id from calls
    join users caller on caller.user_id = caller_id
    join users callee on callee.user_id = callee_id
    where state = 'ended' and caller.deleted_at is not null and callee.deleted_at is not null
    limit :most for update of calls skip locked
), lines as (
    delete from call_messages using over where call_messages.call_id = over.call_id
)
select call_id::text from over;

-- name: drop_calls(call_ids)!
delete from calls where call_id = any(:call_ids::uuid[]);
