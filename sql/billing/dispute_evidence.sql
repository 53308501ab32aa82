-- What is known about a payment and its payer, as evidence in a dispute.

-- name: payment(attempt_id)
select
    c.attempt_id::text as "paymentId", c.user_id::text as "userId", case when u.deleted_at is null then u.name end as "name",
    (select a.email from accounts a where a.user_id = c.user_id) as email, c.kind,
    coalesce(c.paid_cents, c.amount_cents) as "amountCents", coalesce(c.paid_currency, c.currency) as currency,
    c.state, c.session_id as "stripeSession", c.payment_intent as "stripePayment", c.receipt_number as "receiptNumber",
    c.created_at as "createdAt", c.settled_at as "settledAt", c.start_asked_at as "startAskedAt",
    c.start_words as "startWords", c.withdrawn_at as "withdrawnAt",
    (select coalesce(json_agg(json_build_object('id', r.refund_id, 'cents', r.amount_cents, 'status', r.status, 'at', r.said_at)), '[]')
        from refund_attempts r where r.payment_intent = c.payment_intent) as refunds,
    (select coalesce(json_agg(json_build_object('id', d.dispute_id, 'cents', d.amount_cents, 'status', d.status, 'at', d.said_at)), '[]')
        from disputes d where d.payment_intent = c.payment_intent) as disputes,
    (select coalesce(json_agg(json_build_object('id', w.warning_id, 'type', w.fraud_type, 'at', w.told_at)), '[]')
        from fraud_warnings w where w.payment_intent = c.payment_intent) as warnings
from checkouts c join users u using (user_id)
where c.attempt_id = :attempt_id;

-- name: terms(user_id)
select a.version, a.accepted_at as "acceptedAt", t.text
from terms_acceptances a join terms_texts t using (text_hash)
where a.user_id = :user_id order by a.accepted_at;

-- name: uses(user_id, most)
-- The newest, in order of time.
select * from (
    select u.created_at as at, 'signed up; confirmed to be of age and accepted the terms' as what from users u where u.user_id = :user_id
    union all
    select s.created_at, 'opened a session' from sessions s where s.user_id = :user_id
    union all
    select c.settled_at, 'paid' from checkouts c where c.user_id = :user_id and c.state in ('paid', 'refunded', 'review')
    union all
    select m.created_at, 'uploaded a ' || m.kind from media m where m.owner_id = :user_id
    union all
    select coalesce(a.connected_at, a.started_at),
        case when a.connected_at is null then 'a call that did not connect'
            else 'a video call, connected for ' || coalesce(a.connected_ms, 0) / 1000 || ' seconds' end
    from calls a where :user_id::uuid in (a.caller_id, a.callee_id)
    union all
    select w.used_at, 'a friend joined free with the payer''s code'
    from invite_codes i join invite_code_uses w using (code) where i.owner_id = :user_id
    order by at desc nulls last limit :most
) found order by at;
