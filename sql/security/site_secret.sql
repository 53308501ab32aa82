-- The generated site secret, for sites without SECRET_KEY.

-- name: keep(value)!
insert into secrets (name, value) values ('site', :value) on conflict (name) do nothing;

-- name: read()
select value from secrets where name = 'site';
