-- The operator's list of payments, and our side of the comparison with Stripe.

-- name: payments(days, now)
select
    c.attempt_id::text, c.user_id::text, u.name, c.kind, coalesce(c.paid_cents, c.amount_cents) as amount_cents,
    coalesce(c.paid_currency, c.currency) as currency, c.state, c.session_id, c.payment_intent, c.created_at, c.settled_at,
    refunded_cents(c.payment_intent) as refunded_cents, coalesce(c.review, '{}') as review,
    exists (
        select from refund_attempts a where a.payment_intent = c.payment_intent and a.status in ('failed', 'canceled')
    ) as has_failed_refund,
    (select w.fraud_type from fraud_warnings w where w.payment_intent = c.payment_intent order by w.told_at limit 1) as warning,
    (select d.status from disputes d where d.payment_intent = c.payment_intent order by d.said_at desc limit 1) as dispute,
    u.deleted_at is not null as is_of_nobody, c.is_owed and c.state in ('paid', 'review') as is_owed
from checkouts c
join users u on u.user_id = c.user_id
where c.created_at >= coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
    -- What an alert is about is shown whatever its age.
    or c.state = 'review' or (c.state = 'paid' and (
        exists (select from disputes d where d.payment_intent = c.payment_intent and d.status = 'open')
        or exists (select from fraud_warnings w where w.payment_intent = c.payment_intent)
    ))
order by c.created_at desc;

-- name: ours(kind, since, attempt_ids, payments)
-- Checkouts of the period, those that Stripe's objects refer to, and test payments that grant access on a live site.
select
    c.attempt_id::text, c.user_id::text, c.kind, c.amount_cents, c.currency, c.session_id, c.checkout_url,
    c.payment_intent, c.state, c.paid_cents, c.paid_currency, c.kind = :kind and c.created_at >= to_timestamp(:since) as is_recent,
    refunded_cents(c.payment_intent) as refunded_cents, coalesce(c.review, '{}') as review,
    u.deleted_at is null and c.kind = :kind and c.state = 'paid' and c.withdrawn_at is null and not exists (
        select from disputes d where d.payment_intent = c.payment_intent and d.status = 'lost'
    ) as is_worth_access,
    exists (
        select from access_grants g
        where g.reason = 'payment' and g.source = c.attempt_id::text and g.ended_at is null
    ) as has_access
from checkouts c
join users u on u.user_id = c.user_id
where c.kind = :kind and (
    c.created_at >= to_timestamp(:since)
    or c.attempt_id = any(:attempt_ids::uuid[])
    or c.payment_intent = any(:payments::text[])
)
-- With a live key, payments of a test key or the test checkout grant nothing.
or :kind = 'live' and c.kind <> 'live' and c.state = 'paid' and exists (
    select from access_grants g
    where g.reason = 'payment' and g.source = c.attempt_id::text and g.ended_at is null
);

-- name: disputes(payments)
select dispute_id, status from disputes where payment_intent = any(:payments::text[]);
