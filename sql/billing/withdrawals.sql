-- Withdrawals from a purchase, and refunds that users ask for.

-- name: of_user(user_id)
-- Payments made with the information about the right to withdraw. The service is used once a call of the payer was
-- connected, or a friend has joined with the payer's code.
select
    c.attempt_id::text as payment_id, c.settled_at as paid_at, coalesce(c.paid_cents, c.amount_cents) as amount_cents,
    coalesce(c.paid_currency, c.currency) as currency, c.withdrawn_at, c.state = 'refunded' as is_refunded,
    exists (select from disputes d where d.payment_intent = c.payment_intent and d.status in ('open', 'lost')) as is_disputed,
    exists (select from live_seats s where s.user_id = c.user_id)
        or exists (select from calls a where a.caller_id = c.user_id and a.connected_at >= c.settled_at)
        or exists (select from calls a where a.callee_id = c.user_id and a.connected_at >= c.settled_at)
        or exists (
            select from invite_codes i join invite_code_uses w using (code)
            where i.owner_id = c.user_id and w.used_at >= c.settled_at
        ) as is_used
from checkouts c
where c.user_id = :user_id and c.start_asked_at is not null and c.state in ('paid', 'refunded') and c.review is null
order by c.settled_at desc, c.attempt_id;

-- name: withdraw(attempt_id, now)!
-- Owed: the sweep refunds it until that succeeds.
update checkouts
set withdrawn_at = at, refund_asked_at = coalesce(refund_asked_at, at), is_owed = true
from coalesce(:now::timestamptz, clock_timestamp()) as at
where attempt_id = :attempt_id and state = 'paid' and withdrawn_at is null;

-- name: ask_back(attempt_id, most, now)!
-- At most so many in a year; the same payment counts once. Owed until Stripe has answered. The caller holds the lock of
-- the user's access.
update checkouts c
set refund_asked_at = coalesce(c.refund_asked_at, at), is_owed = true
from coalesce(:now::timestamptz, clock_timestamp()) as at
where c.attempt_id = :attempt_id and (c.refund_asked_at is not null or (
    select count(*) from checkouts o where o.user_id = c.user_id and o.refund_asked_at > at - interval '1 year'
) < :most);

-- name: has_invited(user_id)
select exists (select from invite_codes where owner_id = :user_id and uses > 0);

-- name: asked_back(user_id, now)
select count(*) from checkouts
where user_id = :user_id
    and refund_asked_at > coalesce(:now::timestamptz, clock_timestamp()) - interval '1 year';
