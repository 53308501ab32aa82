-- name: live_calls(after, most)
select user_id, call_id from live_seats where user_id > :after order by user_id limit :most;

-- name: live_calls_of(user_ids)
select user_id, call_id from live_seats where user_id = any(:user_ids::uuid[]);
