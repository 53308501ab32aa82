-- Cards that two independent reports of an under-age user have hidden.

-- name: hide(user_id, now)!
update users set card_hidden_at = coalesce(:now::timestamptz, clock_timestamp())
where user_id = :user_id and card_hidden_at is null;

-- name: hidden_since(since)
-- Prepared.
select user_id::text from users where card_hidden_at > :since;
