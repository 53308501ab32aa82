-- Notices of illegal content, by anyone, without a session.

create table notices (
    notice_id uuid primary key,
    -- Of the token in the status page's URL.
    token_hash bytea not null unique,
    kind text not null check (kind in ('minor', 'intimate', 'illegal', 'other')),
    place text not null check (char_length(place) between 1 and 2000),
    why text check (char_length(why) between 1 and 4000),
    name text check (char_length(name) between 1 and 200),
    email text not null,
    created_at timestamptz not null,
    outcome text check (outcome in ('action', 'none')),
    reply text check (char_length(reply) <= 2000),
    decided_by uuid,
    decided_at timestamptz,
    check ((outcome is null) = (decided_at is null)),
    check ((outcome is null) = (decided_by is null))
);
create index notices_open on notices (created_at) where outcome is null;
create index notices_decided on notices (decided_at) where outcome is not null;
