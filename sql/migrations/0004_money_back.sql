-- Refunds and disputes: rows by payment, because their events may arrive before "paid" does.

create table refunds (
    payment_intent text primary key,
    -- All refunds of the payment together, as Stripe adds them up; never decreases.
    refunded_cents integer not null check (refunded_cents >= 0),
    is_full boolean not null,
    told_at timestamptz not null
);

create table disputes (
    dispute_id text primary key,
    payment_intent text not null,
    amount_cents integer not null,
    status text not null check (status in ('open', 'won', 'lost')),
    -- When Stripe decided (its own clock, to the second): of two decisions the later one counts.
    said_at timestamptz not null,
    told_at timestamptz not null
);
create index disputes_of_payment on disputes (payment_intent);

-- A code that was stopped by a lost payment is enabled again by the next payment; one that the operator
-- switched off stays off.
alter table invite_codes add column stopped_by text check (stopped_by in ('payment', 'operator'));

create index stripe_events_newest on stripe_events (received_at desc);
create index checkouts_newest on checkouts (created_at desc);
create index invite_codes_of_operator on invite_codes (created_at desc) where owner_id is null;
