-- The age gate, by PostgreSQL's date.

-- name: is_refused(subject_hash, now)
select exists (
    select from age_refusals
    where subject_hash = :subject_hash and until_at > coalesce(:now::timestamptz, clock_timestamp())
);

-- name: age(birth_date, now)
-- In whole years, on today's date in UTC; null for a date in the future.
select case when :birth_date::date <= today then extract(year from age(today, :birth_date::date))::int end
from (select (coalesce(:now::timestamptz, clock_timestamp()) at time zone 'UTC')::date as today) as dates;

-- name: refuse(subject_hash, hours, now)!
insert into age_refusals (subject_hash, until_at)
values (:subject_hash, coalesce(:now::timestamptz, clock_timestamp()) + make_interval(hours => :hours))
on conflict (subject_hash) do update set until_at = excluded.until_at;
