-- Refunds and disputes, and what a payment grants after them.

-- name: lock_payment(payment_intent)!
-- Serialises events about one payment, also while its checkout is not known yet.
select pg_advisory_xact_lock(hashtextextended('payment ' || :payment_intent, 0));

-- name: keep_refund(payment_intent, refunded_cents, is_full, now)!
-- A late event with a smaller sum changes nothing.
insert into refunds (payment_intent, refunded_cents, is_full, told_at)
values (:payment_intent, :refunded_cents, :is_full, coalesce(:now::timestamptz, clock_timestamp()))
on conflict (payment_intent) do update
set refunded_cents = greatest(refunds.refunded_cents, excluded.refunded_cents),
    is_full = refunds.is_full or excluded.is_full,
    told_at = excluded.told_at
where refunds.refunded_cents < excluded.refunded_cents or (excluded.is_full and not refunds.is_full);

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
select attempt_id::text, user_id::text, kind, amount_cents, currency, session_id, checkout_url, payment_intent, state
from checkouts
where payment_intent = :payment_intent or attempt_id = :attempt_id::uuid
order by payment_intent = :payment_intent desc nulls last
limit 1;

-- name: worth(attempt_id)
-- The state of a payment. A refunded payment, or one lost to a dispute, grants nothing.
select
    c.state in ('paid', 'refunded') as is_paid,
    coalesce(r.is_full, false) as is_refunded,
    exists (select from disputes d where d.payment_intent = c.payment_intent and d.status = 'lost') as is_lost,
    u.deleted_at is not null as is_of_nobody
from checkouts c
join users u using (user_id)
left join refunds r on r.payment_intent = c.payment_intent
where c.attempt_id = :attempt_id;

-- name: note_refunded(attempt_id)!
update checkouts set state = 'refunded' where attempt_id = :attempt_id and state = 'paid';

-- name: find_payment(reference)
-- By attempt id, Stripe session id or payment id.
select attempt_id::text, user_id::text, kind, amount_cents, currency, session_id, checkout_url, payment_intent, state
from checkouts
where attempt_id::text = :reference or session_id = :reference or payment_intent = :reference;

-- name: note_owed(attempt_id)!
-- Only payments that arrived after their user was deleted; earlier ones have been used.
update checkouts c set is_owed = true
from users u
where c.attempt_id = :attempt_id and u.user_id = c.user_id and u.deleted_at < c.settled_at;

-- name: claim_of_nobody(kind, least_seconds, most, now)
-- What was paid, or told as paid, after its person had been deleted. One process asks at a time, and the older it is, the
-- less often; what a bank is deciding about is left alone.
update checkouts
set asked_at = at
from coalesce(:now::timestamptz, clock_timestamp()) as at
where attempt_id in (
    select attempt_id
    from checkouts c
    cross join coalesce(:now::timestamptz, clock_timestamp()) as instant
    where is_owed and state = 'paid' and c.kind = :kind and c.payment_intent is not null
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
returning attempt_id::text, user_id::text, checkouts.kind, amount_cents, currency, session_id, checkout_url, payment_intent, state;
