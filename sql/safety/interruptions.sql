-- Live calls between two users, or of one user.

-- name: live_between(one_id, other_id)
select one.call_id::text
from live_seats one join live_seats other on other.call_id = one.call_id
where one.user_id = :one_id and other.user_id = :other_id;

-- name: live_of(user_id)
select call_id::text from live_seats where user_id = :user_id;
