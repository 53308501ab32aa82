-- name: session()
-- What the text of a row depends on, and no limit of time.
select set_config('statement_timeout', '0', false), set_config('lock_timeout', '15s', false),
    set_config('idle_in_transaction_session_timeout', '0', false), set_config('datestyle', 'ISO, YMD', false),
    set_config('intervalstyle', 'postgres', false), set_config('timezone', 'UTC', false),
    set_config('bytea_output', 'hex', false), set_config('extra_float_digits', '1', false);

-- name: tables()
-- The site's tables and their columns in order; what migrations keep of themselves is left out.
select c.relname::text as name, array_agg(a.attname::text order by a.attnum) as columns
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    and c.relname not in ('_yoyo_log', '_yoyo_migration', '_yoyo_version', 'yoyo_lock')
group by c.relname
order by c.relname;

-- name: sequences()
-- Each sequence and the next value that is free.
select s.sequencename::text as name, coalesce(s.last_value + s.increment_by, s.start_value)::bigint as next_value
from pg_sequences s
where s.schemaname = current_schema()
order by s.sequencename;

-- name: has_migrations()
select to_regclass('_yoyo_migration') is not null;

-- name: migrations()
select migration_id from _yoyo_migration order by migration_id;

-- name: is_used()
-- Whether there is anything that a restore would destroy.
select exists (select from users) or exists (select from staff) or exists (select from checkouts)
    or exists (select from invite_codes) or exists (select from audit_log);

-- name: lift_constraints()
-- The statements that remove foreign keys: tables refer to each other in a circle.
select 'alter table ' || conrelid::regclass || ' drop constraint ' || quote_ident(conname) as run
from pg_constraint
where contype = 'f' and connamespace = current_schema()::regnamespace and conparentid = 0;

-- name: constraints()
-- The statements that add the foreign keys again; PostgreSQL checks all rows then.
select 'alter table ' || conrelid::regclass || ' add constraint ' || quote_ident(conname) || ' '
    || pg_get_constraintdef(oid) as run
from pg_constraint
where contype = 'f' and connamespace = current_schema()::regnamespace and conparentid = 0
order by conrelid::regclass::text, conname;

-- name: triggers(on_or_off)
-- The statements that disable or enable the site's own triggers: rows come back as they were.
select distinct 'alter table ' || tgrelid::regclass || :on_or_off || ' trigger user' as run
from pg_trigger t
join pg_class c on c.oid = t.tgrelid
where not tgisinternal and c.relnamespace = current_schema()::regnamespace;

-- name: truncate()
select 'truncate ' || string_agg(quote_ident(c.relname), ', ') as run
from pg_class c
where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
    and c.relname not in ('_yoyo_log', '_yoyo_migration', '_yoyo_version', 'yoyo_lock');

-- name: set_sequence(name, next_value)
select setval(quote_ident(:name)::regclass, :next_value, false);

-- name: others_of_site()
-- Ends the other sessions of this user in this database.
select count(pg_terminate_backend(pid)) from pg_stat_activity
where datname = current_database() and usename = current_user and pid <> pg_backend_pid();

-- name: hold()
select 'alter database ' || quote_ident(current_database()) || ' set default_transaction_read_only = on' as run;

-- name: release()
-- Nothing if the database is not on hold: only its owner may change it.
select 'alter database ' || quote_ident(d.datname) || ' reset default_transaction_read_only' as run
from pg_db_role_setting s
join pg_database d on d.oid = s.setdatabase
where d.datname = current_database() and s.setrole = 0 and 'default_transaction_read_only=on' = any(s.setconfig);

-- name: identity()
select pg_postmaster_start_time()::text || ' ' || oid from pg_database where datname = current_database();
