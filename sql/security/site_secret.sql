-- The site's secret: `site` in plain text without SECRET_KEY, else `sealed`. `adopt` was set by a migration.

-- name: keep(value)!
insert into secrets (name, value) values ('site', :value) on conflict (name) do nothing;

-- name: seal(value)!
-- Of several processes the first one decides. The plain text is deleted.
with sealed as (
    insert into secrets (name, value) values ('sealed', :value) on conflict (name) do nothing
)
delete from secrets where name in ('site', 'adopt');

-- name: seal_again(before, value)!
update secrets set value = :value where name = 'sealed' and value = :before;

-- name: replace(plain, sealed)!
-- What the old secret made is of no use any more: marks of addresses, e-mail addresses and browsers.
delete from secrets where name in ('site', 'sealed', 'adopt');
insert into secrets (name, value)
select name, value from (values ('site', :plain::text), ('sealed', :sealed::text)) as new (name, value) where value is not null;
delete from seen_addresses;
delete from address_bans;
delete from banned_emails;
delete from age_refusals;
delete from seen_devices;
delete from person_marks;
delete from guesses;
update reports set addresses = '{}' where addresses <> '{}';

-- name: read()
select name, value from secrets where name in ('site', 'sealed', 'adopt');
