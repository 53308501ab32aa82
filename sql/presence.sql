-- name: live_calls()
select user_id, call_id from live_seats;
