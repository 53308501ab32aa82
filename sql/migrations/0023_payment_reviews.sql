-- Payments to review, refunds that fail, warnings of fraud, and alerts about them.

alter table checkouts
    drop constraint checkouts_state_check,
    -- review: it was paid, but not as created. It grants nothing and can be refunded.
    add constraint checkouts_state_check check (state in ('open', 'paid', 'failed', 'expired', 'refunded', 'review')),
    -- The names of the differences; null if it was paid as created.
    add column review text[],
    -- What was paid, where that differs from the created amount.
    add column paid_cents integer,
    add column paid_currency text,
    -- The checkout was completed with a payment method that takes days.
    add column processing_at timestamptz;
drop index checkouts_owed;
create index checkouts_owed on checkouts (asked_at) where is_owed and state in ('paid', 'review');
create index checkouts_of_tests on checkouts (attempt_id) where kind <> 'live' and state = 'paid';
create index checkouts_to_review on checkouts (created_at) where state = 'review';

-- Each refund of a payment. One that fails no longer counts.
create table refund_attempts (
    refund_id text primary key,
    payment_intent text not null,
    amount_cents integer not null check (amount_cents >= 0),
    status text not null check (status in ('pending', 'requires_action', 'succeeded', 'failed', 'canceled')),
    -- Stripe's clock, in seconds.
    said_at timestamptz not null,
    told_at timestamptz not null
);
create index refund_attempts_of_payment on refund_attempts (payment_intent);

-- Stripe's sum, as of then; null: as of told_at.
alter table refunds add column said_at timestamptz;

-- What of a payment is refunded: the sum of the known refunds, or Stripe's own sum without those that failed since,
-- whichever is more. Events may be late, lost or out of order: neither sum is ever too large.
create function refunded_cents(payment text) returns integer language sql stable as $$
    select greatest(
        0,
        (select sum(amount_cents) from refund_attempts
            where payment_intent = payment and status not in ('failed', 'canceled')),
        (select r.refunded_cents - coalesce((
            select sum(f.amount_cents) from refund_attempts f
            where f.payment_intent = payment and f.status in ('failed', 'canceled')
                and f.said_at >= coalesce(r.said_at, r.told_at)
        ), 0) from refunds r where r.payment_intent = payment)
    )::integer
$$;

-- Early fraud warnings of card issuers.
create table fraud_warnings (
    warning_id text primary key,
    payment_intent text not null,
    fraud_type text not null,
    told_at timestamptz not null
);
create index fraud_warnings_of_payment on fraud_warnings (payment_intent);

alter table alerts
    drop constraint alerts_kind_check,
    add constraint alerts_kind_check check (kind in ('ban', 'minor', 'notice', 'payment', 'refund', 'dispute', 'fraud'));
