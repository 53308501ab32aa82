-- Block, report, ban, appeal, contacts. Decisions have a moderator's id; automatic ones have none.

create index blocks_newest on blocks (created_at);

-- Have the two ever been in a ring together? A call has a ring as well.
create index invite_outcomes_of_pair on invite_outcomes (least(caller_id, callee_id), greatest(caller_id, callee_id));

alter table reports
    -- met: from a call, a ring or the history, and counts. card: about the content of a card; only reviewed.
    add column source text not null default 'met' check (source in ('met', 'card')),
    add column verdict text check (verdict in ('upheld', 'dismissed')),
    add column reviewed_by uuid,
    add column reviewed_at timestamptz,
    add check (reason in ('nudity', 'harassment', 'minor', 'fake', 'spam', 'other')),
    add check (char_length(text) <= 1000),
    add check ((verdict is null) = (reviewed_at is null));
create index reports_of_reporter on reports (reporter_id) where verdict is not null;
create index reports_open on reports (created_at, report_id) where verdict is null;

-- What the reporter attached. Copies, because a report is kept longer than the chat it quotes.
create table report_lines (
    report_id uuid not null references reports on delete cascade,
    message_id uuid not null,
    sender_id uuid not null,
    text text not null,
    sent_at timestamptz not null,
    primary key (report_id, message_id)
);

-- A frame of what the reporter saw, taken in their browser with their consent; a JPEG that we encoded.
create table report_frames (
    report_id uuid primary key references reports on delete cascade,
    bytes bytea not null
);

alter table bans
    add column kind text not null default 'temporary' check (kind in ('temporary', 'permanent')),
    add column decided_by uuid,
    add column lifted_by uuid,
    add column lifted_reason text,
    -- SHA-256 of the token with which the banned user may appeal, once.
    add column appeal_hash bytea unique,
    add check (kind = 'temporary' or until_at is null),
    add check (lifted_at is null or lifted_reason is not null);
-- One at a time: twenty simultaneous reports cause one ban.
create unique index bans_one_standing on bans (user_id) where lifted_at is null;
create index bans_newest on bans (created_at);

-- The reports on which a ban is based.
create table ban_reports (
    ban_id uuid not null references bans on delete cascade,
    report_id uuid not null references reports on delete cascade,
    primary key (ban_id, report_id)
);
create index ban_reports_of_report on ban_reports (report_id);

-- Recent addresses of users, as keyed hashes: only for address bans, and deleted after days.
create table seen_addresses (
    user_id uuid not null references users on delete cascade,
    address_hash bytea not null,
    seen_at timestamptz not null,
    primary key (user_id, address_hash)
);
create index seen_addresses_oldest on seen_addresses (seen_at);

-- An address ban belongs to a ban, so that it never outlives one that was deleted.
create table address_bans (
    ban_id uuid not null references bans on delete cascade,
    address_hash bytea not null,
    until_at timestamptz not null,
    primary key (ban_id, address_hash)
);
create index address_bans_of_address on address_bans (address_hash);

-- One appeal per ban; the moderator who decided the ban does not decide the appeal.
create table appeals (
    ban_id uuid primary key references bans on delete cascade,
    text text not null check (char_length(text) between 1 and 2000),
    created_at timestamptz not null,
    banned_by uuid,
    verdict text check (verdict in ('upheld', 'overturned')),
    reply text check (char_length(reply) <= 2000),
    decided_by uuid,
    decided_at timestamptz,
    constraint appeals_other_moderator check (decided_by is null or banned_by is null or decided_by <> banned_by),
    check ((verdict is null) = (decided_at is null)),
    check ((verdict is null) = (decided_by is null))
);
create index appeals_open on appeals (created_at) where verdict is null;

-- Consent to share contacts. They are copied only when both have agreed.
create table contacts (
    call_id uuid not null references calls,
    user_id uuid not null references users,
    is_yes boolean not null,
    said_at timestamptz not null,
    handles jsonb,
    primary key (call_id, user_id),
    check (handles is null or is_yes)
);
create index contacts_of_user on contacts (user_id);
