-- The moderation console: staff, their sign-ins, and an append-only log of their actions.

create table staff (
    staff_id uuid primary key,
    name text not null check (char_length(name) between 1 and 80),
    -- Lower case, NFC: what is typed to sign in.
    name_key text not null unique,
    role text not null check (role in ('moderator', 'admin')),
    -- Null until an enrolment link was used; the second factor is derived from the site's secret and this
    -- seed.
    password_hash text,
    totp_seed text not null,
    -- The last time step (RFC 6238) that was used: none counts twice.
    totp_step bigint not null default 0,
    enrol_hash bytea unique,
    enrol_until timestamptz,
    created_at timestamptz not null,
    disabled_at timestamptz,
    check ((enrol_hash is null) = (enrol_until is null))
);

-- Separate from members' sessions: a member's token is invalid here, and vice versa.
create table staff_sessions (
    session_id uuid primary key,
    token_hash bytea not null unique,
    staff_id uuid not null references staff,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    -- The second factor was given; until then the session can do nothing else.
    passed_at timestamptz,
    ended_at timestamptz
);
create index staff_sessions_of_staff on staff_sessions (staff_id) where ended_at is null;
create index staff_sessions_oldest on staff_sessions (created_at);

-- For today's figures.
create index calls_newest on calls (started_at);
create index checkouts_settled on checkouts (settled_at) where settled_at is not null;

-- Ids of staff and their own texts, never names of members, secrets or users' texts.
create table audit_log (
    seq bigint primary key,
    at timestamptz not null,
    -- A member of the staff, or 'operator' for the command line.
    actor text not null,
    action text not null,
    target text not null,
    reason text not null,
    previous bytea not null,
    hash bytea not null unique
);
create index audit_log_of_target on audit_log (target, seq);

-- Each field is preceded by its length in bytes, so that no two rows serialise alike; the instant in
-- microseconds.
create function audit_row(seq bigint, at timestamptz, actor text, action text, target text, reason text) returns bytea
language sql stable as $$
    select convert_to(string_agg(octet_length(convert_to(field, 'UTF8')) || ':' || field, ',' order by place), 'UTF8')
    from unnest(array[
        seq::text, (extract(epoch from at) * 1000000)::bigint::text, actor, action, target, reason
    ]) with ordinality as fields (field, place)
$$;

-- A single chain: each writer waits for the previous one, and holds the lock until it commits.
create function audit_chain() returns trigger language plpgsql as $$
declare
    newest record;
begin
    perform pg_advisory_xact_lock(hashtextextended('audit_log', 0));
    select a.seq, a.hash into newest from audit_log a order by a.seq desc limit 1;
    new.seq := coalesce(newest.seq, 0) + 1;
    new.previous := coalesce(newest.hash, decode(repeat('00', 32), 'hex'));
    new.hash := sha256(new.previous || audit_row(new.seq, new.at, new.actor, new.action, new.target, new.reason));
    return new;
end
$$;
create trigger audit_chain before insert on audit_log for each row execute function audit_chain();

create function audit_refuse() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is only ever added to' using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_refuse before update or delete on audit_log for each row execute function audit_refuse();
create trigger audit_refuse_all before truncate on audit_log for each statement execute function audit_refuse();
