-- The figures of the whole site for the metrics.

-- name: live_calls()
select count(distinct call_id) from live_seats;

-- name: payments()
select state, count(*) as count from checkouts group by state;
