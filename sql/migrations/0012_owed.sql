-- A payment that arrived after its user was deleted must be refunded; the index finds these at once.

alter table checkouts add column is_owed boolean not null default false;
create index checkouts_owed on checkouts (asked_at) where is_owed and state = 'paid';
