-- What a user has paid, and what happened to each payment.

-- name: of_user(user_id)
-- A payment is extra if another reason grants access too: an earlier payment, or a friend's code.
select
    c.attempt_id::text as payment_id, c.settled_at as paid_at,
    coalesce(c.paid_cents, c.amount_cents) as amount_cents, coalesce(c.paid_currency, c.currency) as currency, c.kind,
    coalesce(c.payment_intent, c.session_id, c.attempt_id::text) as stripe_id,
    refunded_cents(c.payment_intent) as refunded_cents, c.state = 'refunded' as is_refunded,
    c.review is not null as is_in_review,
    exists (select from disputes d where d.payment_intent = c.payment_intent and d.status = 'open') as is_disputed,
    exists (select from disputes d where d.payment_intent = c.payment_intent and d.status = 'lost') as is_lost,
    g.grant_id is not null and exists (
        select from access_grants o
        where o.user_id = c.user_id and o.ended_at is null and o.reason = 'payment'
            and (o.granted_at, o.grant_id) < (g.granted_at, g.grant_id)
    ) as is_second,
    g.grant_id is not null and exists (
        select from access_grants o
        where o.user_id = c.user_id and o.ended_at is null and o.reason = 'code'
    ) as is_beside_code,
    exists (select from invite_codes i where i.owner_id = c.user_id and i.uses > 0) as has_invited
from checkouts c
left join access_grants g on g.reason = 'payment' and g.source = c.attempt_id::text and g.ended_at is null
where c.user_id = :user_id and c.state in ('paid', 'refunded', 'review')
order by c.settled_at desc, c.attempt_id;
