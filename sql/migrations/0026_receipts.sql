-- Receipts: numbered without gaps, with the tax that the price includes, and sent by e-mail.

alter table checkouts
    add column receipt_number integer,
    add column tax_cents integer check (tax_cents >= 0),
    add column receipt_claimed_at timestamptz,
    add column receipt_mailed_at timestamptz;

-- The last number of each kind of checkout: taken in the transaction of the payment, so that none is lost.
create table receipt_numbers (
    kind text primary key,
    last integer not null
);

with numbered as (
    select attempt_id, row_number() over (partition by kind order by settled_at, attempt_id) as number
    from checkouts where state in ('paid', 'refunded') and review is null
)
update checkouts c set receipt_number = number, receipt_mailed_at = settled_at
from numbered n where n.attempt_id = c.attempt_id;
insert into receipt_numbers (kind, last)
select kind, max(receipt_number) from checkouts where receipt_number is not null group by kind;
create unique index checkouts_receipt_number on checkouts (kind, receipt_number) where receipt_number is not null;
create index checkouts_receipt_due on checkouts (settled_at) where receipt_number is not null and receipt_mailed_at is null;

-- Where guests get their receipts: the address that they gave at the checkout.
create table receipt_emails (
    user_id uuid primary key references users,
    email text not null check (char_length(email) between 3 and 254),
    email_key text not null,
    created_at timestamptz not null,
    -- Set once the user has followed the link in the receipt.
    confirmed_at timestamptz
);
create index receipt_emails_of_key on receipt_emails (email_key) where confirmed_at is not null;
