-- Checkouts and what Stripe reported about them. The columns of a checkout are the same everywhere:
-- attempt_id, user_id, kind, amount_cents, currency, session_id, checkout_url, payment_intent, state,
-- paid_cents, paid_currency.

-- name: close_stale(user_id, kind, amount_cents, currency, reuse_hours, now)!
-- Closes checkouts that cannot be offered again: too old (Stripe keeps a session and an idempotency key for 24 hours), or
-- completed with a payment method that takes days, or with another price or provider. If one is paid anyway, the
-- payment counts.
update checkouts
set state = 'expired', settled_at = at
from coalesce(:now::timestamptz, clock_timestamp()) as at
where user_id = :user_id and state = 'open' and (
    created_at <= at - make_interval(hours => :reuse_hours)
    or processing_at is not null
    or (kind, amount_cents, currency) is distinct from (:kind, :amount_cents, :currency)
);

-- name: begin(attempt_id, user_id, kind, amount_cents, currency, now)!
insert into checkouts (attempt_id, user_id, kind, amount_cents, currency, state, created_at)
values (
    :attempt_id, :user_id, :kind, :amount_cents, :currency, 'open',
    coalesce(:now::timestamptz, clock_timestamp())
)
on conflict (user_id) where state = 'open' do nothing;

-- name: ask_start(attempt_id, words, now)!
-- What the buyer has agreed to, the first time.
update checkouts
set start_asked_at = coalesce(:now::timestamptz, clock_timestamp()), start_words = :words
where attempt_id = :attempt_id and start_asked_at is null;

-- name: find_open(user_id)
select attempt_id::text, user_id::text, kind, amount_cents, currency, session_id, checkout_url, payment_intent, state, paid_cents, paid_currency
from checkouts
where user_id = :user_id and state = 'open';

-- name: offer(attempt_id, session_id, checkout_url)
-- The first answer is kept; an event about it may have arrived before.
update checkouts
set session_id = coalesce(session_id, :session_id), checkout_url = coalesce(checkout_url, :checkout_url)
where attempt_id = :attempt_id
returning attempt_id::text, user_id::text, kind, amount_cents, currency, session_id, checkout_url, payment_intent, state, paid_cents, paid_currency;

-- name: give_up(attempt_id, now)!
-- Stripe rejected it; the next attempt starts a new checkout.
update checkouts
set state = 'failed', settled_at = coalesce(:now::timestamptz, clock_timestamp())
where attempt_id = :attempt_id and state = 'open' and session_id is null;

-- name: find_own(session_id, user_id)
select attempt_id::text, user_id::text, kind, amount_cents, currency, session_id, checkout_url, payment_intent, state, paid_cents, paid_currency
from checkouts
where session_id = :session_id and user_id = :user_id;

-- name: is_paid(session_id)
select state in ('paid', 'refunded', 'review') from checkouts where session_id = :session_id;

-- name: find_told(session_id, attempt_id)
-- By session id, else by the attempt id in the metadata.
select attempt_id::text, user_id::text, kind, amount_cents, currency, session_id, checkout_url, payment_intent, state, paid_cents, paid_currency
from checkouts
where session_id = :session_id or attempt_id = :attempt_id::uuid
order by session_id = :session_id desc nulls last
limit 1;

-- name: pay(attempt_id, session_id, now)!
-- Marks it paid once, whatever its state was. A refunded checkout stays refunded.
update checkouts
set state = 'paid', session_id = coalesce(:session_id, session_id),
    settled_at = coalesce(:now::timestamptz, clock_timestamp())
where attempt_id = :attempt_id and state in ('open', 'failed', 'expired') and review is null;

-- name: number(attempt_id, seller, tax_percent, tax_cents)!
-- The next receipt number of its kind, once, and what the receipt says for ever: its seller and the rate of the tax.
with next as (
    insert into receipt_numbers (kind, last)
    select kind, 1 from checkouts where attempt_id = :attempt_id and receipt_number is null
    on conflict (kind) do update set last = receipt_numbers.last + 1
    returning last
)
update checkouts
set receipt_number = next.last, receipt_seller = :seller, tax_percent = :tax_percent, tax_cents = coalesce(tax_cents, :tax_cents)
from next where attempt_id = :attempt_id;

-- name: note_tax(attempt_id, tax_cents)!
update checkouts set tax_cents = coalesce(tax_cents, :tax_cents) where attempt_id = :attempt_id;

-- name: keep_email(user_id, email, email_key, now)!
-- Where a guest gets receipts. An account has an address of its own.
insert into receipt_emails (user_id, email, email_key, created_at)
select user_id, :email, :email_key, coalesce(:now::timestamptz, clock_timestamp())
from users u
where u.user_id = :user_id and u.deleted_at is null and not exists (select from accounts a where a.user_id = u.user_id)
on conflict (user_id) do update
set email = excluded.email, email_key = excluded.email_key, created_at = excluded.created_at, confirmed_at = null
where receipt_emails.email_key <> excluded.email_key;

-- name: review(attempt_id, session_id, differences, paid_cents, paid_currency, now)!
-- It was paid, but not as created. Further reports add their differences.
update checkouts
set state = case when state = 'refunded' then state else 'review' end,
    review = array(select distinct unnest(review || :differences::text[]) order by 1),
    session_id = coalesce(session_id, :session_id),
    paid_cents = coalesce(paid_cents, :paid_cents), paid_currency = coalesce(paid_currency, :paid_currency),
    settled_at = coalesce(settled_at, :now::timestamptz, clock_timestamp())
where attempt_id = :attempt_id and not coalesce(review @> :differences::text[], false);

-- name: process(attempt_id, session_id, now)!
-- Completed, but the money takes days.
update checkouts
set processing_at = coalesce(:now::timestamptz, clock_timestamp()), session_id = coalesce(session_id, :session_id)
where attempt_id = :attempt_id and state = 'open' and processing_at is null;

-- name: is_processing(attempt_id)
select processing_at is not null from checkouts where attempt_id = :attempt_id;

-- name: link(attempt_id, session_id, payment_intent)!
-- Stores the payment and the session; some events carry only one of them.
update checkouts
set session_id = coalesce(session_id, :session_id), payment_intent = coalesce(payment_intent, :payment_intent)
where attempt_id = :attempt_id and (
    (session_id is null and :session_id::text is not null)
    or (payment_intent is null and :payment_intent::text is not null)
);

-- name: settle_unpaid(attempt_id, session_id, state, now)!
update checkouts
set state = :state, session_id = :session_id, settled_at = coalesce(:now::timestamptz, clock_timestamp())
where attempt_id = :attempt_id and state = 'open' and (session_id is null or session_id = :session_id);

-- name: record_event(event_id, type, now)!
-- The effect is written at the end of the same transaction.
insert into stripe_events (event_id, type, effect, received_at)
values (:event_id, :type, 'ignored', coalesce(:now::timestamptz, clock_timestamp()))
on conflict (event_id) do nothing;

-- name: note_effect(event_id, effect)!
update stripe_events set effect = :effect where event_id = :event_id;

-- name: ask_now(attempt_id, pause_seconds, now)!
-- Claims the next query of Stripe, so that simultaneous requests cause one query.
update checkouts
set asked_at = at
from coalesce(:now::timestamptz, clock_timestamp()) as at
where attempt_id = :attempt_id and state = 'open'
    and (asked_at is null or asked_at <= at - make_interval(secs => :pause_seconds));

-- name: claim_unsettled(kind, least_seconds, most, now)
-- Open checkouts without an event, least recently queried first; older ones are queried less often.
update checkouts
set asked_at = at
from coalesce(:now::timestamptz, clock_timestamp()) as at
where attempt_id in (
    select attempt_id
    from checkouts, coalesce(:now::timestamptz, clock_timestamp()) as instant
    where state = 'open' and kind = :kind and session_id is not null
        and created_at <= instant - make_interval(secs => :least_seconds)
        and (
            asked_at is null
            or asked_at <= instant - greatest(make_interval(secs => :least_seconds), (instant - created_at) / 8)
        )
    order by asked_at nulls first
    limit :most
    for update skip locked
)
returning attempt_id::text, user_id::text, checkouts.kind, amount_cents, currency, session_id, checkout_url, payment_intent, state, paid_cents, paid_currency;

-- name: close_forgotten(kind, now)!
-- Closes checkouts that can no longer be paid: no session was created, or by another provider, or they are two weeks old.
update checkouts
set state = 'expired', settled_at = at
from coalesce(:now::timestamptz, clock_timestamp()) as at
where state = 'open' and created_at <= at - interval '24 hours'
    and (session_id is null or kind <> :kind or kind = 'page' or created_at <= at - interval '14 days');
