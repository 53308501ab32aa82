-- The site's secret is encrypted with SECRET_KEY from now on. Where marks and second factors were made with
-- SECRET_KEY itself, it becomes the secret (models/security/site_secret.py).

insert into secrets (name, value)
select 'adopt', '' where exists (select from staff) or exists (select from bans) or exists (select from seen_addresses)
on conflict do nothing;
