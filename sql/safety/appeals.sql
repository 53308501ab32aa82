-- Appeals: one per ban, decided by another moderator than the ban.

-- name: find(appeal_hash, now)
select
    bans.ban_id::text, bans.user_id::text, kind, rule, bans.reason, until_at, bans.decided_by is null as is_automatic,
    bans.created_at as banned_at, lifted_at is not null or (until_at is not null and until_at <= at) as is_over,
    exists (select from accounts a where a.user_id = bans.user_id) as is_account,
    appeals.text, appeals.created_at as filed_at, appeals.verdict, appeals.reply
from bans left join appeals using (ban_id), coalesce(:now::timestamptz, clock_timestamp()) as at
where appeal_hash = :appeal_hash;

-- name: file(appeal_hash, text, now)!
-- Serialised with decisions about the ban: the appeal names the moderator who decided last.
insert into appeals (ban_id, text, banned_by, created_at)
select ban_id, :text, decided_by, at
from bans, coalesce(:now::timestamptz, clock_timestamp()) as at
where appeal_hash = :appeal_hash and lifted_at is null and (until_at is null or until_at > at)
for share of bans
on conflict (ban_id) do nothing;

-- name: hand_over_if_alone(ban_id)!
-- No other member of staff can decide it.
update appeals set handed_at = created_at
where ban_id = :ban_id and handed_at is null and not exists (
    select from staff where disabled_at is null and password_hash is not null and staff_id is distinct from banned_by
);

-- name: hand_over(ban_id, now)!
update appeals set handed_at = coalesce(:now::timestamptz, clock_timestamp())
where ban_id = :ban_id and handed_at is null and verdict is null;

-- name: queue(most, now)
-- Without bans that have ended: nothing is left to decide.
select
    appeals.ban_id::text, bans.user_id::text, users.name, bans.kind, rule, bans.reason, until_at, bans.created_at as banned_at,
    appeals.text, appeals.created_at as filed_at, appeals.banned_by::text, handed_at
from appeals join bans using (ban_id) join users using (user_id)
where verdict is null and lifted_at is null
    and (until_at is null or until_at > coalesce(:now::timestamptz, clock_timestamp()))
order by appeals.created_at
limit :most;

-- name: open(ban_id, now)
select
    appeals.ban_id::text, bans.user_id::text, users.name, bans.kind, rule, bans.reason, until_at, bans.created_at as banned_at,
    appeals.text, appeals.created_at as filed_at, appeals.banned_by::text, handed_at
from appeals join bans using (ban_id) join users using (user_id)
where appeals.ban_id = :ban_id and verdict is null and lifted_at is null
    and (until_at is null or until_at > coalesce(:now::timestamptz, clock_timestamp()));

-- name: decide(ban_id, moderator_id, verdict, reply, now)!
-- Without a moderator: the operator, who decides only what was handed over.
update appeals
set verdict = :verdict, reply = :reply, decided_by = :moderator_id,
    decided_at = coalesce(:now::timestamptz, clock_timestamp())
where ban_id = :ban_id and verdict is null and (:moderator_id::uuid is not null or handed_at is not null);
