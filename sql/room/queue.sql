-- name: around(viewer_id, days, now)
-- Prepared.
-- Users whom the viewer must not see, users on cooldown with the viewer, and introductions.
select
    array(
        select blocked_id::text from blocks where blocker_id = :viewer_id
        union
        select blocker_id::text from blocks where blocked_id = :viewer_id
        union
        select reported_id::text from reports where reporter_id = :viewer_id
        union
        select reporter_id::text from reports where reported_id = :viewer_id
        union
        select user_id::text from users where kind = 'probe'
        union
        select user_id::text from users where card_hidden_at is not null
    ) as hidden,
    array(
        select person_id::text from introductions
        where newcomer_id = :viewer_id
            and made_at > coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
        order by made_at desc limit 20
    ) as introduced,
    exists (
        select from introductions
        where person_id = :viewer_id
            and made_at > coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
    ) as has_newcomers,
    coalesce(array_agg(other_id::text order by until_at, other_id), '{}') as cooling,
    coalesce(array_agg(until_at order by until_at, other_id), '{}') as cooling_until
from (
    select high_id as other_id, until_at from cooldowns
    where low_id = :viewer_id and until_at > coalesce(:now::timestamptz, clock_timestamp())
    union all
    select low_id as other_id, until_at from cooldowns
    where high_id = :viewer_id and until_at > coalesce(:now::timestamptz, clock_timestamp())
) as pairs;

-- name: cards(user_ids)
-- Prepared. `execute` passes text[], which is not cast to uuid[] automatically.
select user_id, name, gender, selfie_id, video_id, kind from users
where user_id = any(:user_ids::text[]::uuid[]) and deleted_at is null;
