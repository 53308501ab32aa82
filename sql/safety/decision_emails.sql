-- E-mails about reports and decisions: an outbox. Only confirmed addresses get them.

-- name: write(kind, about_id, now)!
insert into decision_emails (kind, about_id, created_at)
values (:kind, :about_id, coalesce(:now::timestamptz, clock_timestamp()));

-- name: claim(every, most, now)
-- Each for one sender. A claim whose sender died or failed can be taken after `every` seconds.
update decision_emails set claimed_at = at
from coalesce(:now::timestamptz, clock_timestamp()) as at
where email_id in (
    select email_id from decision_emails
    where claimed_at is null or claimed_at <= at - make_interval(secs => :every)
    order by email_id limit :most for update skip locked
)
returning email_id, kind, about_id::text;

-- name: done(email_id)!
delete from decision_emails where email_id = :email_id;

-- name: forget(days, now)!
delete from decision_emails where created_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days);

-- name: receipt(report_id)
-- For the first reports of a day: the address may be that of someone else.
select email, r.report_id::text, verdict
from reports r join accounts on user_id = reporter_id
where report_id = :report_id and email_confirmed_at is not null and (
    select count(*) from reports o
    where o.reporter_id = r.reporter_id and o.created_at > r.created_at - interval '1 day' and o.created_at <= r.created_at
) <= 3;

-- name: report(report_id)
select email, report_id::text, verdict
from reports join accounts on user_id = reporter_id
where report_id = :report_id and email_confirmed_at is not null;

-- name: ban(ban_id)
select email, ban_id::text, user_id::text, rule, reason, kind, until_at, decided_by is null as is_automatic
from bans join accounts using (user_id)
where ban_id = :ban_id and lifted_at is null and email_confirmed_at is not null;

-- name: removal(removal_id)
select email, removal_id::text, kind, rule, reason
from removals join accounts using (user_id)
where removal_id = :removal_id and email_confirmed_at is not null;
