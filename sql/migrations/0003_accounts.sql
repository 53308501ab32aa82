-- Guests who keep their profile: an e-mail address, a password hash, and recovery codes. No secret is stored
-- in plain text.

create table accounts (
    user_id uuid primary key references users,
    -- As it was typed; used for sending.
    email text not null check (char_length(email) between 3 and 254),
    -- Lower case, NFC: two spellings of one address are one account.
    email_key text not null unique,
    password_hash text not null,
    created_at timestamptz not null,
    password_at timestamptz not null
);

-- One-time codes, shown once. A new set replaces the old one.
create table recovery_codes (
    user_id uuid not null references accounts on delete cascade,
    code_hash bytea not null,
    created_at timestamptz not null,
    used_at timestamptz,
    primary key (user_id, code_hash)
);

-- Links sent by e-mail: only one at a time is valid, and only once.
create table recovery_links (
    user_id uuid primary key references accounts on delete cascade,
    token_hash bytea not null unique,
    expires_at timestamptz not null
);
