-- The first schema. Invariants are constraints here, not code in the application.

create table secrets (
    name text primary key,
    value text not null
);

create table users (
    user_id uuid primary key,
    name text not null check (char_length(name) between 1 and 40),
    gender text not null check (gender in ('female', 'male', 'nonbinary', 'unspecified')),
    adult_at timestamptz not null,
    selfie_id uuid,
    successful_calls integer not null default 0,
    handles jsonb not null default '{}',
    created_at timestamptz not null,
    deleted_at timestamptz
);

create table sessions (
    session_id uuid primary key,
    token_hash bytea not null unique,
    user_id uuid not null references users,
    created_at timestamptz not null,
    renewed_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    ended_reason text
);
create index sessions_of_user on sessions (user_id) where ended_at is null;
create index sessions_ended on sessions (ended_at) where ended_at is not null;

create table media (
    media_id uuid primary key,
    owner_id uuid not null references users,
    kind text not null check (kind in ('selfie', 'video')),
    content_type text not null,
    byte_size integer not null check (byte_size > 0),
    created_at timestamptz not null
);
create index media_of_owner on media (owner_id);

create table media_chunks (
    media_id uuid not null references media on delete cascade,
    seq integer not null,
    bytes bytea not null,
    primary key (media_id, seq)
);

alter table users add foreign key (selfie_id) references media;

-- Access: each reason is a row; losing one removes only that row.
create table access_grants (
    grant_id uuid primary key,
    user_id uuid not null references users,
    reason text not null check (reason in ('payment', 'code', 'comp')),
    source text not null,
    granted_at timestamptz not null,
    ended_at timestamptz,
    ended_reason text,
    unique (reason, source)
);
create index access_grants_of_user on access_grants (user_id) where ended_at is null;

-- An attempt to pay is written before Stripe is called, so that every event from Stripe finds its row.
create table checkouts (
    attempt_id uuid primary key,
    user_id uuid not null references users,
    -- Who collects the payment: Stripe with a live or a test key, or our own test page.
    kind text not null check (kind in ('live', 'test', 'page')),
    amount_cents integer not null check (amount_cents > 0),
    currency text not null,
    -- Known once Stripe has answered.
    session_id text unique,
    checkout_url text,
    payment_intent text,
    state text not null check (state in ('open', 'paid', 'failed', 'expired', 'refunded')),
    created_at timestamptz not null,
    settled_at timestamptz,
    -- When Stripe was last queried about the status.
    asked_at timestamptz,
    check ((state = 'open') = (settled_at is null))
);
create index checkouts_of_user on checkouts (user_id);
create index checkouts_of_payment_intent on checkouts (payment_intent) where payment_intent is not null;
create index checkouts_open on checkouts (created_at) where state = 'open';
-- A double click creates only one.
create unique index checkouts_one_open on checkouts (user_id) where state = 'open';

create table stripe_events (
    event_id text primary key,
    type text not null,
    effect text not null,
    received_at timestamptz not null
);

create table invite_codes (
    code text primary key check (code ~ '^[0-9A-HJKMNP-TV-Z]{16}$'),
    owner_id uuid unique references users,
    label text,
    uses_limit integer check (uses_limit > 0),
    uses integer not null default 0,
    created_at timestamptz not null,
    stopped_at timestamptz,
    check (uses >= 0 and (uses_limit is null or uses <= uses_limit))
);

create table invite_code_uses (
    user_id uuid primary key references users,
    code text not null references invite_codes,
    used_at timestamptz not null
);
create index invite_code_uses_of_code on invite_code_uses (code);

-- Counts that must survive the loss of Redis' data (unknown codes, later also failed sign-ins).
create table guesses (
    guess_id bigint generated always as identity primary key,
    kind text not null,
    subject text not null,
    guessed_at timestamptz not null
);
create index guesses_of_subject on guesses (kind, subject, guessed_at);

create table blocks (
    blocker_id uuid not null references users,
    blocked_id uuid not null references users,
    created_at timestamptz not null,
    primary key (blocker_id, blocked_id),
    check (blocker_id <> blocked_id)
);
create index blocks_of_blocked on blocks (blocked_id);

create table reports (
    report_id uuid primary key,
    reporter_id uuid not null references users,
    reported_id uuid not null references users,
    call_id uuid,
    reason text not null,
    text text,
    created_at timestamptz not null,
    unique (reporter_id, reported_id),
    check (reporter_id <> reported_id)
);
create index reports_of_reported on reports (reported_id);

create table bans (
    ban_id uuid primary key,
    user_id uuid not null references users,
    rule text not null,
    reason text not null,
    created_at timestamptz not null,
    until_at timestamptz,
    lifted_at timestamptz
);
create index bans_of_user on bans (user_id) where lifted_at is null;

create table cooldowns (
    low_id uuid not null references users,
    high_id uuid not null references users,
    until_at timestamptz not null,
    primary key (low_id, high_id),
    check (low_id < high_id)
);
create index cooldowns_of_high on cooldowns (high_id);

-- One outcome per ring: the first insert decides.
create table invite_outcomes (
    invite_id uuid primary key,
    caller_id uuid not null references users,
    callee_id uuid not null references users,
    outcome text not null check (outcome in ('accepted', 'declined', 'cancelled', 'missed', 'gone')),
    call_id uuid,
    decided_at timestamptz not null,
    check ((outcome = 'accepted') = (call_id is not null))
);

create table calls (
    call_id uuid primary key,
    invite_id uuid not null unique references invite_outcomes,
    caller_id uuid not null references users,
    callee_id uuid not null references users,
    agreed_seconds integer not null check (agreed_seconds between 60 and 1800),
    state text not null check (state in ('connecting', 'connected', 'ended')),
    version integer not null default 0,
    started_at timestamptz not null,
    connected_at timestamptz,
    connect_by timestamptz not null,
    -- One bit and one seat per side. A seat is "<process id>/<socket id>"; the grace period runs while it is
    -- empty.
    caller_up boolean not null default false,
    callee_up boolean not null default false,
    caller_seat text,
    callee_seat text,
    caller_back_by timestamptz,
    callee_back_by timestamptz,
    -- The clock: the time left, and since when it has been running or paused.
    remaining_ms integer not null,
    running_since timestamptz,
    paused_since timestamptz,
    paused_ms integer not null default 0,
    due_at timestamptz,
    ended_at timestamptz,
    ended_reason text check (ended_reason in ('hung_up', 'expired', 'dropped', 'failed', 'banned')),
    connected_ms integer,
    check (caller_id <> callee_id),
    check ((state = 'ended') = (ended_at is not null)),
    check ((state = 'ended') = (ended_reason is not null)),
    check ((state = 'ended') = (connected_ms is not null)),
    check ((state = 'ended') = (due_at is null))
);
create index calls_due on calls (due_at) where state <> 'ended';
create index calls_of_caller on calls (caller_id, started_at desc, call_id);
create index calls_of_callee on calls (callee_id, started_at desc, call_id);

create table live_seats (
    user_id uuid primary key references users,
    call_id uuid not null references calls
);
create index live_seats_of_call on live_seats (call_id);

create table call_messages (
    message_id uuid primary key,
    call_id uuid not null references calls,
    sender_id uuid not null references users,
    client_id text not null check (char_length(client_id) between 1 and 64),
    text text not null check (char_length(text) between 1 and 500),
    sent_at timestamptz not null,
    unique (call_id, sender_id, client_id)
);
create index call_messages_in_order on call_messages (call_id, sent_at, message_id);

create table processes (
    process_id text primary key,
    seen_at timestamptz not null
);
