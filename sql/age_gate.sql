-- Adults only, by PostgreSQL's date.

-- name: is_refused(subject_hash, now)
select exists (
    select from age_refusals
    where subject_hash = :subject_hash and until_at > coalesce(:now::timestamptz, clock_timestamp())
);

-- name: is_adult(birth_date, years, now)
select :birth_date::date + make_interval(years => :years) <= (coalesce(:now::timestamptz, clock_timestamp()) at time zone 'UTC')::date;

-- name: refuse(subject_hash, hours, now)!
insert into age_refusals (subject_hash, until_at)
values (:subject_hash, coalesce(:now::timestamptz, clock_timestamp()) + make_interval(hours => :hours))
on conflict (subject_hash) do update set until_at = excluded.until_at;
