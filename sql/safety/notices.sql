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

-- name: queue(after_id, most)
-- The ones with a deadline first: minors, intimate images, then the others. Of each kind the oldest one of every sender,
-- then the second ones: many notices of one e-mail address do not bury those of others.
with waiting as (
    select
        *, array_position(array['minor', 'intimate', 'illegal', 'other'], kind) as rank,
        row_number() over (partition by kind, lower(email) order by created_at, notice_id) as turn
    from notices where outcome is null
), placed as (
    select *, row_number() over (order by rank, turn, created_at, notice_id) as nth from waiting
)
select notice_id::text, kind, place, why, name, email, created_at, outcome, reply, decided_at
from placed
where nth > coalesce((select nth from placed p where p.notice_id = :after_id::uuid), 0)
order by nth
limit :most;

-- name: decide(notice_id, moderator_id, outcome, reply, now)!
update notices
set outcome = :outcome, reply = :reply, decided_by = :moderator_id,
    decided_at = coalesce(:now::timestamptz, clock_timestamp())
where notice_id = :notice_id and outcome is null;
