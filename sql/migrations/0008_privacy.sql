-- Permanent deletion: what must stay deleted when an older backup is restored, and anonymous counts.

-- Random ids only. Copied to a file next to the data, because a restored backup does not know later
-- deletions.
create table tombstones (
    kind text not null check (kind in ('user', 'media')),
    id uuid not null,
    buried_at timestamptz not null,
    primary key (kind, id)
);
create index tombstones_newest on tombstones (buried_at);

create function bury_media() returns trigger language plpgsql as $$
begin
    insert into tombstones (kind, id, buried_at) values ('media', old.media_id, clock_timestamp()) on conflict do nothing;
    return null;
end
$$;
create trigger bury_media after delete on media for each row execute function bury_media();

-- Users who said that they are under age: a keyed hash of the address, for a day; never the birth date.
create table age_refusals (
    subject_hash bytea primary key,
    until_at timestamptz not null
);

-- For the deletion of old rows.
create index users_deleted on users (deleted_at) where deleted_at is not null;
create index call_messages_oldest on call_messages (sent_at);
create index call_messages_of_sender on call_messages (sender_id);
create index invite_outcomes_oldest on invite_outcomes (decided_at) where call_id is null;
create index reports_oldest on reports (created_at);
create index reports_of_call on reports (call_id) where call_id is not null;
create index cooldowns_over on cooldowns (until_at);
create index sessions_expire on sessions (expires_at);
