-- Media of the doctor's callers leave no tombstone: they are of no person, and would add two for every call.

create or replace function bury_media() returns trigger language plpgsql as $$
begin
    insert into tombstones (kind, id, buried_at)
    select 'media', old.media_id, clock_timestamp()
    where not exists (select from users where user_id = old.owner_id and kind = 'probe')
    on conflict do nothing;
    return null;
end
$$;
