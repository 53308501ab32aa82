-- name: applied()
-- The migrations that have been applied to this database.
select migration_id from _yoyo_migration;

-- name: last_event_fits()
-- Whether the newest Stripe event has our key's mode; no row if there is none.
select effect <> 'wrong_livemode' from stripe_events order by received_at desc limit 1;
