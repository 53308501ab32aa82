-- Users: guests and account holders.

-- name: create(user_id, name, gender, now)!
insert into users (user_id, name, gender, adult_at, created_at)
values (
    :user_id, :name, :gender,
    coalesce(:now::timestamptz, clock_timestamp()), coalesce(:now::timestamptz, clock_timestamp())
);

-- name: find(user_id)
select user_id::text, name, gender, selfie_id::text, video_id::text, successful_calls, handles, kind
from users
where user_id = :user_id and deleted_at is null;

-- name: find_several(user_ids)
select user_id::text, name, gender, selfie_id::text, video_id::text, successful_calls, handles, kind
from users
where user_id = any(:user_ids::uuid[]) and deleted_at is null;

-- name: update(user_id, name, gender, handles)
-- A null name or gender stays as it is; a null handle is removed.
update users
set name = coalesce(:name, name), gender = coalesce(:gender, gender), handles = jsonb_strip_nulls(handles || :handles::jsonb)
where user_id = :user_id and deleted_at is null
returning user_id::text, name, gender, selfie_id::text, video_id::text, successful_calls, handles, kind;

-- name: invite_code(user_id)
-- The user's own code unless stopped; uses_remaining is null without a limit.
select code, uses_limit - uses as uses_remaining
from invite_codes
where owner_id = :user_id and stopped_at is null;

-- name: own_email(user_id)
select email from accounts where user_id = :user_id;

-- name: set_selfie(user_id, selfie_id)!
update users set selfie_id = :selfie_id where user_id = :user_id and deleted_at is null;

-- name: set_video(user_id, video_id)!
update users set video_id = :video_id::uuid where user_id = :user_id and deleted_at is null;

-- name: tally(user_id)
-- Statistics of the connected calls; each half is one index scan.
select
    count(*) as calls,
    coalesce(sum(connected_ms), 0)::bigint as connected_ms,
    (select successful_calls from users where user_id = :user_id) as successful_calls
from (
    select connected_ms from calls where caller_id = :user_id and state = 'ended' and connected_ms > 0
    union all
    select connected_ms from calls where callee_id = :user_id and state = 'ended' and connected_ms > 0
) as mine;
