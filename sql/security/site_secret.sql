-- The site's secret, made once, for sites that were given none.

-- name: keep(value)!
insert into secrets (name, value) values ('site', :value) on conflict (name) do nothing;

-- name: read()
select value from secrets where name = 'site';
