-- Refunds, disputes and warnings of fraud.

-- name: lock_payment(payment_intent)!
-- Serialises events about one payment, also while its checkout is not known yet.
select pg_advisory_xact_lock(hashtextextended('payment ' || :payment_intent, 0));

-- name: keep_charge(payment_intent, refunded_cents, is_full, said_at, now)!
-- Stripe's sum of the refunds as of `said_at`; in the same second the larger sum is the later one.
insert into refunds (payment_intent, refunded_cents, is_full, said_at, told_at)
values (
    :payment_intent, :refunded_cents, :is_full, to_timestamp(:said_at), coalesce(:now::timestamptz, clock_timestamp())
)
on conflict (payment_intent) do update
set refunded_cents = excluded.refunded_cents, is_full = excluded.is_full, said_at = excluded.said_at,
    told_at = excluded.told_at
where (coalesce(refunds.said_at, refunds.told_at), refunds.refunded_cents) < (excluded.said_at, excluded.refunded_cents);

-- name: keep_refund(refund_id, payment_intent, amount_cents, status, said_at, now)!
-- In any order: failed outranks succeeded, which outranks pending.
insert into refund_attempts (refund_id, payment_intent, amount_cents, status, said_at, told_at)
values (
    :refund_id, :payment_intent, :amount_cents, :status, to_timestamp(:said_at),
    coalesce(:now::timestamptz, clock_timestamp())
)
on conflict (refund_id) do update
set status = excluded.status, said_at = excluded.said_at, told_at = excluded.told_at
where refund_attempts.payment_intent = excluded.payment_intent
    and array_position(array['requires_action', 'pending', 'succeeded', 'canceled', 'failed'], excluded.status)
        > array_position(array['requires_action', 'pending', 'succeeded', 'canceled', 'failed'], refund_attempts.status);

-- name: failed_refunds(payment_intent)
select count(*) from refund_attempts where payment_intent = :payment_intent and status in ('failed', 'canceled');

-- name: keep_warning(warning_id, payment_intent, fraud_type, now)!
insert into fraud_warnings (warning_id, payment_intent, fraud_type, told_at)
values (:warning_id, :payment_intent, :fraud_type, coalesce(:now::timestamptz, clock_timestamp()))
on conflict (warning_id) do nothing;

-- name: keep_dispute(dispute_id, payment_intent, amount_cents, status, said_at, now)!
-- In any order: decided outranks open, and the later of two decisions wins (in the same second: lost).
insert into disputes (dispute_id, payment_intent, amount_cents, status, said_at, told_at)
values (
    :dispute_id, :payment_intent, :amount_cents, :status, to_timestamp(:said_at),
    coalesce(:now::timestamptz, clock_timestamp())
)
on conflict (dispute_id) do update
set status = excluded.status, said_at = excluded.said_at, told_at = excluded.told_at
where disputes.payment_intent = excluded.payment_intent
    and (excluded.status <> 'open', excluded.said_at, excluded.status = 'lost')
        > (disputes.status <> 'open', disputes.said_at, disputes.status = 'lost')
    and excluded.status <> 'open';

-- name: find_paid_by(payment_intent, attempt_id)
-- By payment id, else by the attempt id in the metadata.
select attempt_id::text, user_id::text, kind, amount_cents, currency, session_id, checkout_url, payment_intent, state, paid_cents, paid_currency
from checkouts
where payment_intent = :payment_intent or attempt_id = :attempt_id::uuid
order by payment_intent = :payment_intent desc nulls last
limit 1;

-- name: find_payment(reference)
-- By attempt id, Stripe session id or payment id.
select attempt_id::text, user_id::text, kind, amount_cents, currency, session_id, checkout_url, payment_intent, state, paid_cents, paid_currency
from checkouts
where attempt_id::text = :reference or session_id = :reference or payment_intent = :reference;

-- name: claim_owed(kind, least_seconds, most, now)
-- What was paid after its person had been deleted, or what its person has taken back. One process asks at a time, and the older it is, the
-- less often; what a bank is deciding about is left alone.
update checkouts
set asked_at = at
from coalesce(:now::timestamptz, clock_timestamp()) as at
where attempt_id in (
    select attempt_id
    from checkouts c
    cross join coalesce(:now::timestamptz, clock_timestamp()) as instant
    where is_owed and state in ('paid', 'review') and c.kind = :kind and c.payment_intent is not null
        and not exists (
            select from disputes d where d.payment_intent = c.payment_intent and d.status in ('open', 'lost')
        )
        and (
            asked_at is null or asked_at <= settled_at
            or asked_at <= instant - greatest(make_interval(secs => :least_seconds), (instant - settled_at) / 8)
        )
    order by asked_at nulls first
    limit :most
    for update of c skip locked
)
returning attempt_id::text, user_id::text, checkouts.kind, amount_cents, currency, session_id, checkout_url, payment_intent, state, paid_cents, paid_currency;
