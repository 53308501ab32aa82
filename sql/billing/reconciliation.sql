-- The operator's list of payments, and our side of the comparison with Stripe.

-- name: payments(days, now)
select
    c.attempt_id::text, c.user_id::text, u.name, c.kind, c.amount_cents, c.currency, c.state, c.session_id,
    c.payment_intent, c.created_at, c.settled_at, coalesce(r.refunded_cents, 0) as refunded_cents,
    (select d.status from disputes d where d.payment_intent = c.payment_intent order by d.said_at desc limit 1) as dispute,
    u.deleted_at is not null as is_of_nobody, c.is_owed and c.state = 'paid' as is_owed
from checkouts c
join users u on u.user_id = c.user_id
left join refunds r on r.payment_intent = c.payment_intent
where c.created_at >= coalesce(:now::timestamptz, clock_timestamp()) - make_interval(days => :days)
order by c.created_at desc;

-- name: ours(kind, since, attempt_ids, payments)
-- Checkouts of the period, and those that Stripe's objects refer to.
select
    c.attempt_id::text, c.user_id::text, c.kind, c.amount_cents, c.currency, c.session_id, c.checkout_url,
    c.payment_intent, c.state, c.created_at >= to_timestamp(:since) as is_recent,
    coalesce(r.refunded_cents, 0) as refunded_cents,
    u.deleted_at is null and c.state in ('paid', 'refunded') and not coalesce(r.is_full, false) and not exists (
        select from disputes d where d.payment_intent = c.payment_intent and d.status = 'lost'
    ) as is_worth_access,
    exists (
        select from access_grants g
        where g.reason = 'payment' and g.source = c.attempt_id::text and g.ended_at is null
    ) as has_access
from checkouts c
join users u on u.user_id = c.user_id
left join refunds r on r.payment_intent = c.payment_intent
where c.kind = :kind and (
    c.created_at >= to_timestamp(:since)
    or c.attempt_id = any(:attempt_ids::uuid[])
    or c.payment_intent = any(:payments::text[])
);

-- name: disputes(payments)
select dispute_id, status from disputes where payment_intent = any(:payments::text[]);
