-- Somebody banned is deleted: the address of their account opens no other one while the ban stands.

-- A keyed hash, never the address; it goes with its ban, or sooner (sql/retention.sql).
create table banned_emails (
    ban_id uuid primary key references bans on delete cascade,
    email_hash bytea not null
);
create index banned_emails_of_address on banned_emails (email_hash);
