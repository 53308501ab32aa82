-- Which processes of the site are alive.

-- name: alive(within_seconds)
select process_id from processes where seen_at > clock_timestamp() - :within_seconds * interval '1 second';
