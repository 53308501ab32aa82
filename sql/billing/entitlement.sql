-- What a payment grants.

-- name: worth(attempt_id)
-- The state of a payment. One that is refunded, lost to a dispute, or not as created grants nothing.
select
    c.state in ('paid', 'refunded', 'review') as is_paid, c.kind,
    refunded_cents(c.payment_intent) >= coalesce(c.paid_cents, c.amount_cents) as is_refunded,
    exists (select from disputes d where d.payment_intent = c.payment_intent and d.status = 'lost') as is_lost,
    c.withdrawn_at is not null as is_withdrawn, c.review is not null as is_in_review,
    c.is_owed, u.deleted_at is not null as is_of_nobody
from checkouts c
join users u using (user_id)
where c.attempt_id = :attempt_id;

-- name: note_refunded(attempt_id, is_refunded)!
-- A refund that fails undoes it.
update checkouts
set state = case when :is_refunded then 'refunded' when review is not null then 'review' else 'paid' end
where attempt_id = :attempt_id and state in ('paid', 'refunded', 'review');

-- name: note_owed(attempt_id)!
-- Only payments that arrived after their user was deleted; earlier ones have been used.
update checkouts c set is_owed = true
from users u
where c.attempt_id = :attempt_id and u.user_id = c.user_id and u.deleted_at < c.settled_at;

-- name: keep(attempt_id)!
-- A withdrawal, and the payment of a deleted user, stay owed until a refund succeeds.
update checkouts c set is_owed = false
from users u
where c.attempt_id = :attempt_id and u.user_id = c.user_id and c.withdrawn_at is null and u.deleted_at is null;

-- name: test_payments(most)
-- Payments of a test key or the test checkout that still grant access.
select c.attempt_id::text, c.user_id::text
from checkouts c
join access_grants g on g.reason = 'payment' and g.source = c.attempt_id::text and g.ended_at is null
where c.kind <> 'live' and c.state = 'paid'
limit :most;
