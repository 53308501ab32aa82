-- Users that are programs of the operator.

-- name: find(name)
select user_id::text from users where kind = 'robot' and name = :name and deleted_at is null
order by created_at limit 1;

-- name: create(user_id, name, gender, kind, now)!
insert into users (user_id, name, gender, kind, adult_at, created_at)
values (
    :user_id, :name, :gender, :kind,
    coalesce(:now::timestamptz, clock_timestamp()), coalesce(:now::timestamptz, clock_timestamp())
);

-- name: old_probes(minutes)
-- Callers that an interrupted run has left, once their call is over.
select user_id::text from users
where kind = 'probe' and created_at < clock_timestamp() - make_interval(mins => :minutes)
    and not exists (select from live_seats where live_seats.user_id = users.user_id);

-- name: remove_probes(user_ids)!
-- Callers have met only each other.
delete from contacts where call_id in (select call_id from calls where caller_id = any(:user_ids::uuid[]));
delete from call_messages where call_id in (select call_id from calls where caller_id = any(:user_ids::uuid[]));
delete from live_seats where user_id = any(:user_ids::uuid[]);
delete from calls where caller_id = any(:user_ids::uuid[]);
delete from invite_outcomes where caller_id = any(:user_ids::uuid[]);
delete from cooldowns where low_id = any(:user_ids::uuid[]) or high_id = any(:user_ids::uuid[]);
update users set selfie_id = null where user_id = any(:user_ids::uuid[]);
delete from media where owner_id = any(:user_ids::uuid[]);
delete from sessions where user_id = any(:user_ids::uuid[]);
delete from access_grants where user_id = any(:user_ids::uuid[]);
delete from users where kind = 'probe' and user_id = any(:user_ids::uuid[]);
