-- Alerts to the staff, written with what they are about and sent afterwards.

create table alerts (
    alert_id bigint generated always as identity primary key,
    kind text not null check (kind in ('ban', 'minor', 'notice')),
    -- The page of the console.
    path text not null,
    created_at timestamptz not null,
    claimed_at timestamptz,
    mailed_at timestamptz,
    posted_at timestamptz,
    sent_at timestamptz
);
create index alerts_unsent on alerts (alert_id) where sent_at is null;
create index alerts_claimed on alerts (claimed_at) where claimed_at is not null;
