-- Accounts: e-mail, password, recovery codes and links.

-- name: create(user_id, email, email_key, password_hash, now)!
insert into accounts (user_id, email, email_key, password_hash, created_at, password_at, email_confirmed_at)
select :user_id, :email, :email_key, :password_hash, at, at, (
    -- An address that was confirmed with a receipt.
    select confirmed_at from receipt_emails e where e.user_id = :user_id and e.email_key = :email_key
)
from coalesce(:now::timestamptz, clock_timestamp()) as at;

-- name: find_by_email(email_key)
select a.user_id::text, a.email, a.email_key, a.password_hash
from accounts a
join users u on u.user_id = a.user_id and u.deleted_at is null
where a.email_key = :email_key;

-- name: find(user_id)
select user_id::text, email, email_key, password_hash from accounts where user_id = :user_id;

-- name: lock(user_id)
-- Serialises sign-ins and changes of an account; the row is read after the wait.
select user_id::text, email, email_key, password_hash from accounts where user_id = :user_id for update;

-- name: set_password(user_id, password_hash, now)!
update accounts
set password_hash = :password_hash, password_at = coalesce(:now::timestamptz, clock_timestamp())
where user_id = :user_id;

-- name: rehash(user_id, old_hash, password_hash)!
-- The same password at another cost, unless the password has changed.
update accounts set password_hash = :password_hash where user_id = :user_id and password_hash = :old_hash;

-- name: set_email(user_id, email, email_key)!
update accounts
set email = :email, email_confirmed_at = case when email_key = :email_key then email_confirmed_at end, email_key = :email_key
where user_id = :user_id;

-- name: drop_codes(user_id)!
delete from recovery_codes where user_id = :user_id;

-- name: add_codes(user_id, hashes, now)!
insert into recovery_codes (user_id, code_hash, created_at)
select :user_id, unnest(:hashes::bytea[]), coalesce(:now::timestamptz, clock_timestamp());

-- name: codes_left(user_id)
select count(*) from recovery_codes where user_id = :user_id and used_at is null;

-- name: use_code(user_id, code_hash, now)!
update recovery_codes
set used_at = coalesce(:now::timestamptz, clock_timestamp())
where user_id = :user_id and code_hash = :code_hash and used_at is null;

-- name: put_link(email_key, token_hash, seconds, now)
-- Replaces the user's link. Only for a confirmed address: of an account, else of the receipt of a guest. No row for
-- another one.
with found as (
    select a.user_id, a.email
    from accounts a join users u on u.user_id = a.user_id and u.deleted_at is null
    where a.email_key = :email_key and a.email_confirmed_at is not null
    union all (
        select e.user_id, e.email
        from receipt_emails e join users u on u.user_id = e.user_id and u.deleted_at is null
        where e.email_key = :email_key and e.confirmed_at is not null
            and not exists (select from accounts a where a.user_id = e.user_id or a.email_key = e.email_key)
        order by e.confirmed_at desc limit 1
    )
)
insert into recovery_links (user_id, token_hash, expires_at)
select user_id, :token_hash, coalesce(:now::timestamptz, clock_timestamp()) + make_interval(secs => :seconds) from found
on conflict (user_id) do update set token_hash = excluded.token_hash, expires_at = excluded.expires_at
returning (select email from found where found.user_id = recovery_links.user_id);

-- name: receipt_email(user_id)
-- The confirmed address of a guest's receipt.
select e.email, e.email_key
from receipt_emails e join users u using (user_id)
where e.user_id = :user_id and e.confirmed_at is not null and u.deleted_at is null;

-- name: is_link(token_hash, now)
select true
from recovery_links
where token_hash = :token_hash and expires_at > coalesce(:now::timestamptz, clock_timestamp());

-- name: take_link(token_hash, now)
delete from recovery_links
where token_hash = :token_hash and expires_at > coalesce(:now::timestamptz, clock_timestamp())
returning user_id::text;

-- name: drop_link(user_id)!
delete from recovery_links where user_id = :user_id;
