-- Bans: at most one is active per user (bans_one_standing). Every change locks the user first.

-- name: lock_user(user_id)
select user_id::text from users where user_id = :user_id and deleted_at is null for no key update;

-- name: person_of(ban_id)
select user_id::text from bans where ban_id = :ban_id;

-- name: find(ban_id)
select ban_id::text, user_id::text, kind, rule, reason, until_at, decided_by is null as is_automatic, created_at, decided_by::text, lifted_at, lifted_by::text, lifted_reason
from bans where ban_id = :ban_id;

-- name: of_user(user_id)
select ban_id::text, user_id::text, kind, rule, reason, until_at, decided_by is null as is_automatic, created_at, decided_by::text, lifted_at, lifted_by::text, lifted_reason
from bans where user_id = :user_id order by created_at desc;

-- name: lock_standing(user_id)!
-- Blocks appeals until the transaction ends.
select from bans where user_id = :user_id and lifted_at is null for no key update;

-- name: has_appealed(user_id, now)
select exists (
    select from appeals join bans using (ban_id), coalesce(:now::timestamptz, clock_timestamp()) as at
    where user_id = :user_id and verdict is null and lifted_at is null and (until_at is null or until_at > at)
);

-- name: make_room(user_id, moderator_id, now)!
-- Before a new ban: closes an expired one, and replaces an active one if a moderator decides.
update bans
set lifted_at = least(coalesce(until_at, at), at), lifted_by = case when until_at <= at then null else :moderator_id::uuid end,
    lifted_reason = case when until_at <= at then 'over' else 'replaced' end
from coalesce(:now::timestamptz, clock_timestamp()) as at
where user_id = :user_id and lifted_at is null and (until_at <= at or :moderator_id::uuid is not null);

-- name: create(ban_id, user_id, kind, rule, reason, until_at, decided_by, appeal_hash, now)
insert into bans (ban_id, user_id, kind, rule, reason, until_at, decided_by, appeal_hash, created_at)
values (
    :ban_id, :user_id, :kind, :rule, :reason, :until_at, :decided_by, :appeal_hash,
    coalesce(:now::timestamptz, clock_timestamp())
)
on conflict (user_id) where lifted_at is null do nothing
returning ban_id::text, user_id::text, kind, rule, reason, until_at, decided_by is null as is_automatic;

-- name: consider(ban_id, report_ids)!
insert into ban_reports (ban_id, report_id)
select ban_id, report_id from bans join reports on reported_id = user_id
where ban_id = :ban_id and report_id = any(:report_ids::uuid[]);

-- name: make_permanent(ban_id, moderator_id, reason, now)!
update bans set kind = 'permanent', until_at = null, reason = :reason, decided_by = :moderator_id
where ban_id = :ban_id and lifted_at is null
    and (until_at is null or until_at > coalesce(:now::timestamptz, clock_timestamp()));

-- name: banned_by(ban_id, moderator_id)!
-- An open appeal is against the moderator who decided last.
update appeals set banned_by = :moderator_id where ban_id = :ban_id and verdict is null;

-- name: lift(ban_id, moderator_id, reason, now)!
update bans set lifted_at = coalesce(:now::timestamptz, clock_timestamp()), lifted_by = :moderator_id, lifted_reason = :reason
where ban_id = :ban_id and lifted_at is null;

-- name: judge_reports(ban_id, moderator_id, verdict, now)
-- A decision about a ban also decides the undecided reports behind it.
update reports
set verdict = :verdict, reviewed_by = :moderator_id, reviewed_at = coalesce(:now::timestamptz, clock_timestamp())
from ban_reports
where ban_reports.ban_id = :ban_id and reports.report_id = ban_reports.report_id and reports.verdict is null
returning reports.report_id::text;
