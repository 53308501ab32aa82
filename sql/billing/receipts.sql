-- What a user has paid, and what happened to each payment.

-- name: of_user(user_id)
-- A payment is extra if another reason grants access too: an earlier payment, or a friend's code.
select
    c.attempt_id::text as payment_id, c.receipt_number as number, c.settled_at as paid_at, c.receipt_seller as seller,
    c.tax_cents, c.tax_percent,
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

-- name: claim_unmailed(wait, retry, most, now)
-- For one process at a time; a claim whose process died can be taken again.
update checkouts c
set receipt_claimed_at = at
from coalesce(:now::timestamptz, clock_timestamp()) as at, (
    select d.attempt_id, coalesce(a.email, e.email) as email, coalesce(a.email_key, e.email_key) as email_key,
        a.user_id is not null or e.confirmed_at is not null as is_confirmed
    from checkouts d
    left join accounts a on a.user_id = d.user_id
    left join receipt_emails e on e.user_id = d.user_id
    cross join coalesce(:now::timestamptz, clock_timestamp()) as instant
    where d.receipt_number is not null and d.receipt_mailed_at is null and d.state = 'paid'
        and d.settled_at between instant - interval '1 day' and instant - make_interval(secs => :wait)
        and (d.receipt_claimed_at is null or d.receipt_claimed_at <= instant - make_interval(secs => :retry))
        and coalesce(a.email, e.email) is not null
    order by d.settled_at limit :most for update of d skip locked
) due
where c.attempt_id = due.attempt_id
returning c.attempt_id::text, c.user_id::text, due.email, due.email_key, due.is_confirmed, c.start_asked_at is not null as has_words;

-- name: mark_mailed(attempt_id, now)!
update checkouts set receipt_mailed_at = coalesce(:now::timestamptz, clock_timestamp()) where attempt_id = :attempt_id;
