-- Notices by anyone; one decision per notice.

-- name: create(notice_id, token_hash, kind, place, why, name, email, now)!
insert into notices (notice_id, token_hash, kind, place, why, name, email, created_at)
values (
    :notice_id, :token_hash, :kind, :place, :why, :name, :email, coalesce(:now::timestamptz, clock_timestamp())
);

-- name: find(token_hash)
select notice_id::text, kind, place, why, name, email, created_at, outcome, reply, decided_at
from notices where token_hash = :token_hash;

-- name: of_day(email, now)
select count(*) from notices
where lower(email) = lower(:email) and created_at > coalesce(:now::timestamptz, clock_timestamp()) - interval '1 day';

-- name: get(notice_id)
select notice_id::text, kind, place, why, name, email, created_at, outcome, reply, decided_at
from notices where notice_id = :notice_id;

-- name: queue(most)
-- The ones with a deadline first: minors, intimate images, then the others; the oldest of each first.
select notice_id::text, kind, place, why, name, email, created_at, outcome, reply, decided_at
from notices
where outcome is null
order by array_position(array['minor', 'intimate', 'illegal', 'other'], kind), created_at, notice_id
limit :most;

-- name: decide(notice_id, moderator_id, outcome, reply, now)!
update notices
set outcome = :outcome, reply = :reply, decided_by = :moderator_id,
    decided_at = coalesce(:now::timestamptz, clock_timestamp())
where notice_id = :notice_id and outcome is null;
