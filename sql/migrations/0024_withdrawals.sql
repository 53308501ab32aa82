-- Consumer law: the request to begin at once, and withdrawals. Refunds that users ask for are counted.

alter table checkouts
    -- The buyer asked for the service to begin at once and was informed of the right to withdraw, in these words.
    add column start_asked_at timestamptz,
    add column start_words text,
    add column withdrawn_at timestamptz,
    -- The payer asked for the money: a withdrawal, or an extra payment.
    add column refund_asked_at timestamptz;
create index checkouts_asked_back on checkouts (user_id, refund_asked_at) where refund_asked_at is not null;
