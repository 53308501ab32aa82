-- Users that are programs of the operator.

-- name: find(name)
select user_id::text from users where kind = 'robot' and name = :name and deleted_at is null
order by created_at limit 1;

-- name: create(user_id, name, gender, kind, now)!
insert into users (user_id, name, gender, kind, adult_at, created_at)
values (
    :user_id, :name, :gender, :kind,
    coalesce(:now::timestamptz, clock_timestamp()), coalesce(:now::timestamptz, clock_timestamp())
);
