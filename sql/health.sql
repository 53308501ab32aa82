-- name: applied()
-- The migrations that this database has had.
select migration_id from _yoyo_migration;

-- name: last_event_fits()
-- Whether the newest of Stripe's events was of our key's mode; no row: none has come.
select effect <> 'wrong_livemode' from stripe_events order by received_at desc limit 1;
