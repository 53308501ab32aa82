-- Confirmed e-mail addresses: of accounts, and of guests' receipts.

-- name: addresses(user_id)
select a.email, a.email_key, a.email_confirmed_at is not null as is_confirmed, true as is_account
from accounts a where a.user_id = :user_id
union all
select e.email, e.email_key, e.confirmed_at is not null, false
from receipt_emails e join users u using (user_id)
where e.user_id = :user_id and u.deleted_at is null and not exists (select from accounts a where a.user_id = e.user_id);

-- name: confirm(user_id, email_key, now)!
update accounts set email_confirmed_at = coalesce(email_confirmed_at, :now::timestamptz, clock_timestamp())
where user_id = :user_id and email_key = :email_key;
update receipt_emails set confirmed_at = coalesce(confirmed_at, :now::timestamptz, clock_timestamp())
where user_id = :user_id and email_key = :email_key;
