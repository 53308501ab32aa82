-- Console sessions, separate from members' sessions, identified by the SHA-256 of a token.

-- name: create(session_id, token_hash, staff_id, is_passed, now)!
insert into staff_sessions (session_id, token_hash, staff_id, created_at, seen_at, passed_at)
select :session_id, :token_hash, :staff_id, at, at, case when :is_passed then at end
from coalesce(:now::timestamptz, clock_timestamp()) as at;

-- name: find(token_hash, hours, idle_minutes, half_minutes, now)
-- A session without the second factor lives for minutes only.
select
    s.session_id::text, s.staff_id::text, f.name, f.role, s.passed_at is not null as has_passed,
    s.seen_at < at - interval '1 minute' as is_stale
from staff_sessions s join staff f using (staff_id), coalesce(:now::timestamptz, clock_timestamp()) as at
where s.token_hash = :token_hash and s.ended_at is null and f.disabled_at is null and f.password_hash is not null
    and s.created_at > at - make_interval(hours => :hours) and s.seen_at > at - make_interval(mins => :idle_minutes)
    and (s.passed_at is not null or s.created_at > at - make_interval(mins => :half_minutes));

-- name: touch(session_id, now)!
update staff_sessions set seen_at = greatest(seen_at, coalesce(:now::timestamptz, clock_timestamp()))
where session_id = :session_id;

-- name: pass(session_id, token_hash, now)!
-- Sets a new token; the old one is no longer valid.
update staff_sessions set token_hash = :token_hash, passed_at = at, created_at = at, seen_at = at
from coalesce(:now::timestamptz, clock_timestamp()) as at
where session_id = :session_id and passed_at is null and ended_at is null;

-- name: end_one(session_id, now)!
update staff_sessions set ended_at = coalesce(:now::timestamptz, clock_timestamp())
where session_id = :session_id and ended_at is null;

-- name: end_all(staff_id, now)!
update staff_sessions set ended_at = coalesce(:now::timestamptz, clock_timestamp())
where staff_id = :staff_id and ended_at is null;

-- name: forget(days, now)!
delete from staff_sessions
where created_at < coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days);
