-- name: between(caller_id, callee_id, session_id, terms_version, asks_age_proof, now)
-- Prepared.
-- What prevents a call between two users, as seen by the caller, in one row, with the caller's own rights as they are now.
-- `is_hidden` covers unknown, deleted, blocked, reported and banned users, hidden cards, and users without access, without a
-- distinction.
select
    (
        select jsonb_build_object('user_id', c.user_id, 'name', name, 'gender', gender, 'selfie_id', selfie_id, 'kind', kind)
        from sessions s join users c on c.user_id = s.user_id
        where s.session_id = :session_id and s.ended_at is null and c.deleted_at is null and c.selfie_id is not null
            and exists (select 1 from access_grants g where g.user_id = c.user_id and g.ended_at is null)
            and not exists (
                select 1 from bans
                where bans.user_id = c.user_id and lifted_at is null
                    and (until_at is null or until_at > coalesce(:now::timestamptz, clock_timestamp()))
            )
            and (c.kind <> 'person' or exists (
                select 1 from terms_acceptances t where t.user_id = c.user_id and t.version = :terms_version
            ))
            and (c.kind <> 'person' or not :asks_age_proof::boolean or exists (
                select 1 from age_proofs p where p.user_id = c.user_id
            ))
    ) as caller,
    not exists (
        select 1 from users
        where users.user_id = :callee_id and deleted_at is null and selfie_id is not null and card_hidden_at is null
            and exists (select 1 from access_grants where access_grants.user_id = users.user_id and ended_at is null)
            and not exists (
                select 1 from bans
                where bans.user_id = users.user_id and lifted_at is null
                    and (until_at is null or until_at > coalesce(:now::timestamptz, clock_timestamp()))
            )
            and not exists (
                select 1 from blocks
                where (blocker_id = :caller_id and blocked_id = :callee_id)
                    or (blocker_id = :callee_id and blocked_id = :caller_id)
            )
            and not exists (
                select 1 from reports
                where (reporter_id = :caller_id and reported_id = :callee_id)
                    or (reporter_id = :callee_id and reported_id = :caller_id)
            )
    ) as is_hidden,
    exists (
        select 1 from cooldowns
        where low_id = least(:caller_id::uuid, :callee_id::uuid) and high_id = greatest(:caller_id::uuid, :callee_id::uuid)
            and until_at > coalesce(:now::timestamptz, clock_timestamp())
    ) as is_cooling,
    exists (select 1 from live_seats where user_id in (:caller_id, :callee_id)) as is_in_call,
    coalesce(:now::timestamptz, clock_timestamp()) as now,
    (
        select jsonb_build_object('user_id', user_id, 'name', name, 'gender', gender, 'selfie_id', selfie_id, 'kind', kind)
        from users where user_id = :callee_id and deleted_at is null
    ) as callee;

-- name: decide(invite_id, caller_id, callee_id, outcome, cooldown_seconds, now)!
-- Declined, cancelled, missed or gone, with its cooldown: the first insert wins.
with decided as (
    insert into invite_outcomes (invite_id, caller_id, callee_id, outcome, decided_at)
    values (:invite_id, :caller_id, :callee_id, :outcome, coalesce(:now::timestamptz, clock_timestamp()))
    on conflict (invite_id) do nothing
    returning caller_id, callee_id, decided_at
)
insert into cooldowns (low_id, high_id, until_at)
select least(caller_id, callee_id), greatest(caller_id, callee_id), decided_at + :cooldown_seconds * interval '1 second'
from decided
on conflict (low_id, high_id) do update set until_at = greatest(cooldowns.until_at, excluded.until_at);

-- name: outcome(invite_id)
select invite_outcomes.invite_id, invite_outcomes.caller_id, invite_outcomes.callee_id, outcome, invite_outcomes.call_id, agreed_seconds
from invite_outcomes left join calls on calls.call_id = invite_outcomes.call_id
where invite_outcomes.invite_id = :invite_id;

-- name: decided_among(invite_ids, before)
select invite_id from invite_outcomes where invite_id = any(:invite_ids::uuid[]) and decided_at <= :before;

-- name: accept(invite_id, call_id, caller_id, callee_id, agreed_seconds, remaining_ms, connect_by, due_at, now)
-- Prepared.
-- The outcome, the call and both live seats in one statement. `is_first` is false if the ring was decided before,
-- `is_allowed` if a block, a report, a ban or lost access prevents the call. Access is locked: a withdrawal at the same
-- time either ends it before, or sees the seats.
with access as (
    select access_grants.user_id
    from users join access_grants using (user_id)
    where users.user_id in (:caller_id, :callee_id) and ended_at is null
    order by users.user_id
    for key share of users
    for share of access_grants
),
pair as (
    select count(*) = 2 and not exists (
        select 1 from blocks
        where (blocker_id = :caller_id and blocked_id = :callee_id) or (blocker_id = :callee_id and blocked_id = :caller_id)
    ) and not exists (
        select 1 from reports
        where (reporter_id = :caller_id and reported_id = :callee_id) or (reporter_id = :callee_id and reported_id = :caller_id)
    ) as is_allowed,
    coalesce(
        jsonb_agg(jsonb_build_object('user_id', user_id, 'name', name, 'gender', gender, 'selfie_id', selfie_id, 'kind', kind)), '[]'
    ) as people
    from users
    where users.user_id in (:caller_id, :callee_id) and deleted_at is null
        and user_id in (select access.user_id from access)
        and not exists (
            select 1 from bans
            where bans.user_id = users.user_id and lifted_at is null and (until_at is null or until_at > :now)
        )
),
decided as (
    insert into invite_outcomes (invite_id, caller_id, callee_id, outcome, call_id, decided_at)
    select :invite_id, :caller_id, :callee_id, 'accepted', :call_id, :now from pair where is_allowed
    on conflict (invite_id) do nothing
    returning invite_id
),
begun as (
    insert into calls (
        call_id, invite_id, caller_id, callee_id, agreed_seconds, state, started_at, connect_by, remaining_ms, due_at
    )
    select :call_id, invite_id, :caller_id, :callee_id, :agreed_seconds, 'connecting', :now, :connect_by, :remaining_ms, :due_at
    from decided
    returning call_id
),
seated as (
    insert into live_seats (user_id, call_id)
    select person, call_id from begun,
        unnest(array[least(:caller_id::uuid, :callee_id::uuid), greatest(:caller_id::uuid, :callee_id::uuid)]) as person
    returning call_id
)
select is_allowed, exists (select 1 from decided) as is_first, (select count(*) from seated) as seats, people from pair;
