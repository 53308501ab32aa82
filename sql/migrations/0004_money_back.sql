-- Money that went back and money that a bank claims back: rows by payment, for news of them may come before "paid" does.

create table refunds (
    payment_intent text primary key,
    -- All refunds of the payment together, as Stripe adds them up; it never becomes less.
    refunded_cents integer not null check (refunded_cents >= 0),
    is_full boolean not null,
    told_at timestamptz not null
);

create table disputes (
    dispute_id text primary key,
    payment_intent text not null,
    amount_cents integer not null,
    status text not null check (status in ('open', 'won', 'lost')),
    -- When Stripe said so (its own clock, to the second): of two that are decided the later counts.
    said_at timestamptz not null,
    told_at timestamptz not null
);
create index disputes_of_payment on disputes (payment_intent);

-- A code that a lost payment stopped starts again with the next one; what the operator switched off stays off.
alter table invite_codes add column stopped_by text check (stopped_by in ('payment', 'operator'));

create index stripe_events_newest on stripe_events (received_at desc);
create index checkouts_newest on checkouts (created_at desc);
create index invite_codes_of_operator on invite_codes (created_at desc) where owner_id is null;
