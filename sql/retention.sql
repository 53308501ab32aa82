-- What has been kept long enough goes, a few hundred rows at a time: nobody waits for a lock, and what somebody else
-- holds is left for the next round.

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
-- With their lines and frames. One behind a ban that stands is kept as long as the ban does.
delete from reports where report_id in (
    select report_id from reports r
    where created_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
        and not exists (
            select from ban_reports join bans using (ban_id)
            where ban_reports.report_id = r.report_id and lifted_at is null
                and (until_at is null or until_at > coalesce(:now::timestamptz, clock_timestamp()))
        )
    order by created_at limit :most for update skip locked
);

-- name: words_of_the_deleted(most)!
-- Judged since their writer was deleted: only the count stays.
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
-- Long over. Appeals and banned addresses go with them.
delete from bans where ban_id in (
    select ban_id from bans
    where coalesce(lifted_at, until_at) < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
    limit :most for update skip locked
);

-- name: undecided_bans(days, most, now)!
-- "Until somebody has decided", of somebody who was deleted meanwhile: nobody will, so it ends as reports do.
delete from bans where ban_id in (
    select ban_id from bans b join users u using (user_id)
    where b.kind = 'temporary' and b.until_at is null and b.lifted_at is null
        and u.deleted_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
    limit :most for update of b skip locked
);

-- name: banned_emails(most, now)!
-- Of use only while their ban stands.
delete from banned_emails where ban_id in (
    select ban_id from banned_emails e join bans b using (ban_id)
    where b.lifted_at is not null or b.until_at < coalesce(:now::timestamptz, clock_timestamp())
    limit :most for update of e skip locked
);

-- name: appeals(days, most, now)!
-- What was written stays no longer than reports do, also under a ban for good.
delete from appeals where ban_id in (
    select ban_id from appeals
    where decided_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
    limit :most for update skip locked
);

-- name: removals(days, most, now)!
-- Why a moderator took something off a card.
delete from removals where (user_id, kind) in (
    select user_id, kind from removals
    where removed_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
    order by removed_at limit :most for update skip locked
);

-- name: rings(days, most, now)!
-- Rings that became no call.
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
-- Ended, or run out: a while later nobody holds their token any more. Of somebody deleted: after some minutes. What a ban
-- ended comes back with its end. A guest's last ones stay until the guest goes (`unused_guests`).
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
-- Their ids are kept that long because Stripe may send one again for days.
delete from stripe_events where event_id in (
    select event_id from stripe_events
    where received_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
    order by received_at limit :most for update skip locked
);

-- name: guesses(most, now)!
-- No window is longer than a day.
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
-- That nobody followed in time.
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

-- name: unused_guests(days, member_days, most, now)
-- No way back in: every session has ended or run out, days ago. Banned ones wait for the end of their ban.
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
-- Both have been deleted: nobody has it in a history.
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
