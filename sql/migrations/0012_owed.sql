-- A payment that came after its person had been deleted is owed back; whoever looks for those finds them at once.

alter table checkouts add column is_owed boolean not null default false;
create index checkouts_owed on checkouts (asked_at) where is_owed and state = 'paid';
