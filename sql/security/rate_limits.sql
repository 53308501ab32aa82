-- Wrong guesses within the window, by kind and subject.

-- name: wait_seconds(kind, subject, most, window, now)
-- Seconds until one more is allowed: until the `most`-th newest guess leaves the window. No row if allowed now.
select extract(epoch from guessed_at + make_interval(secs => :window) - coalesce(:now::timestamptz, clock_timestamp()))::float8
from guesses
where kind = :kind and subject = :subject
    and guessed_at > coalesce(:now::timestamptz, clock_timestamp()) - make_interval(secs => :window)
order by guessed_at desc
offset :most - 1 limit 1;

-- name: lock_subject(kind, subject)!
-- One at a time until the transaction ends; a statement of its own, so that the next one sees what the last holder wrote.
select pg_advisory_xact_lock(hashtextextended(:kind || ' ' || :subject, 0));

-- name: count_guess(kind, subject, window, now)
-- Also deletes old rows of any subject, so that addresses are not stored longer than they count.
with stale as (
    delete from guesses where guess_id in (
        select guess_id from guesses
        where guess_id in (select guess_id from guesses order by guess_id limit 100)
            and guessed_at <= coalesce(:now::timestamptz, clock_timestamp()) - interval '1 day'
            and (kind, subject) <> (:kind, :subject)
        for update skip locked
    )
), old as (
    delete from guesses
    where kind = :kind and subject = :subject
        and guessed_at <= coalesce(:now::timestamptz, clock_timestamp()) - make_interval(secs => :window)
)
insert into guesses (kind, subject, guessed_at)
values (:kind, :subject, coalesce(:now::timestamptz, clock_timestamp()))
returning guess_id;

-- name: give_back(guess_ids)!
delete from guesses where guess_id = any(:guess_ids::bigint[]);
