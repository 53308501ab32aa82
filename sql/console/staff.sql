-- Staff of the console. A disabled or not enrolled member of staff can do nothing.

-- name: add(staff_id, name, name_key, role, totp_seed, enrol_hash, hours, now)!
insert into staff (staff_id, name, name_key, role, totp_seed, enrol_hash, enrol_until, created_at)
select :staff_id, :name, :name_key, :role, :totp_seed, :enrol_hash, at + make_interval(hours => :hours), at
from coalesce(:now::timestamptz, clock_timestamp()) as at;

-- name: all()
select staff_id::text, name, role, password_hash is not null as is_enrolled, disabled_at is not null as is_disabled, created_at
from staff order by name_key;

-- name: find(staff_id)
select staff_id::text, name, role, password_hash is not null as is_enrolled, disabled_at is not null as is_disabled, created_at
from staff where staff_id = :staff_id;

-- name: find_by_name(name_key)
select staff_id::text, name, role, password_hash is not null as is_enrolled, disabled_at is not null as is_disabled, created_at
from staff where name_key = :name_key;

-- name: lock_admins()
-- Serialises changes of admins, so that the last one remains.
select staff_id::text from staff
where role = 'admin' and disabled_at is null and password_hash is not null
order by staff_id for update;

-- name: set_role(staff_id, role)!
update staff set role = :role where staff_id = :staff_id;

-- name: disable(staff_id, now)!
update staff set disabled_at = coalesce(:now::timestamptz, clock_timestamp()) where staff_id = :staff_id and disabled_at is null;

-- name: reset(staff_id, totp_seed, enrol_hash, hours, now)!
-- A new enrolment, after a lost password or phone, or for a returning member of staff.
update staff
set password_hash = null, totp_seed = :totp_seed, totp_step = 0, enrol_hash = :enrol_hash,
    enrol_until = coalesce(:now::timestamptz, clock_timestamp()) + make_interval(hours => :hours), disabled_at = null
where staff_id = :staff_id;

-- name: enrolment(enrol_hash, now)
select staff_id::text, name, totp_seed as seed from staff
where enrol_hash = :enrol_hash and enrol_until > coalesce(:now::timestamptz, clock_timestamp()) and disabled_at is null;

-- name: enrol(enrol_hash, password_hash, step, now)
update staff set password_hash = :password_hash, totp_step = :step, enrol_hash = null, enrol_until = null
where enrol_hash = :enrol_hash and enrol_until > coalesce(:now::timestamptz, clock_timestamp()) and disabled_at is null
returning staff_id::text;

-- name: secrets_of(name_key)
select staff_id::text, password_hash from staff
where name_key = :name_key and disabled_at is null and password_hash is not null;

-- name: seed_of(staff_id)
select totp_seed from staff where staff_id = :staff_id and disabled_at is null and password_hash is not null;

-- name: use_step(staff_id, step)!
-- A step counts once, and earlier steps no longer count (RFC 6238, 5.2).
update staff set totp_step = :step where staff_id = :staff_id and totp_step < :step;
