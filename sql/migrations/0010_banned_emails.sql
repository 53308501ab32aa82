-- A banned user who is deleted cannot open another account with the same e-mail address while the ban is
-- active.

-- A keyed hash, never the address; deleted with its ban, or sooner (sql/retention.sql).
create table banned_emails (
    ban_id uuid primary key references bans on delete cascade,
    email_hash bytea not null
);
create index banned_emails_of_address on banned_emails (email_hash);
