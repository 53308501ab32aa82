-- name: applied()
-- The migrations that this database has had.
select migration_id from _yoyo_migration;
