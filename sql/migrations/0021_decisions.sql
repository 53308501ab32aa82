-- Decisions about users: removals with a rule, a held copy and an appeal; e-mails about decisions; appeals by hand-over.

-- Every removal stays for REPORT_DAYS, with the removed file, so that an appeal can restore it.
alter table removals drop constraint removals_pkey;
alter table removals
    add column removal_id uuid primary key default gen_random_uuid(),
    add column media_id uuid,
    add column rule text not null default 'other' check (rule in ('nudity', 'harassment', 'minor', 'fake', 'spam', 'other')),
    add column removed_by uuid,
    -- The owner has a new file of the kind, or an appeal has restored the old one.
    add column settled_at timestamptz,
    add column appeal_text text check (char_length(appeal_text) between 1 and 2000),
    add column appealed_at timestamptz,
    add column handed_at timestamptz,
    add column verdict text check (verdict in ('upheld', 'overturned')),
    add column reply text check (char_length(reply) <= 2000),
    -- Null: the operator, by e-mail.
    add column decided_by uuid,
    add column decided_at timestamptz,
    add constraint removals_other_moderator check (decided_by is null or removed_by is null or decided_by <> removed_by),
    add check ((appeal_text is null) = (appealed_at is null)),
    add check ((verdict is null) = (decided_at is null)),
    add check (verdict is null or appealed_at is not null);
create index removals_of_user on removals (user_id, removed_at);
create index removals_of_media on removals (media_id);
create index removals_appealed on removals (appealed_at) where appealed_at is not null and verdict is null;

-- An appeal whose moderator has no colleague is handed to the operator by e-mail, who has no staff id.
alter table appeals add column handed_at timestamptz, drop constraint appeals_check1;

-- Holds what a report or a removal refers to: a deletion detaches it instead.
create or replace function hold_reported_media() returns trigger language plpgsql as $$
begin
    if exists (select from report_media where media_id = old.media_id)
        or exists (select from removals where media_id = old.media_id) then
        update media set detached_at = clock_timestamp() where media_id = old.media_id and detached_at is null;
        insert into tombstones (kind, id, buried_at) values ('media', old.media_id, clock_timestamp()) on conflict do nothing;
        return null;
    end if;
    return old;
end
$$;

-- E-mails about reports and decisions: an outbox. A row ends with its delivery, or if there is no address.
create table decision_emails (
    email_id bigint generated always as identity primary key,
    kind text not null check (kind in ('report', 'outcome', 'ban', 'removal', 'ban_appeal', 'removal_appeal')),
    -- The report, ban or removal.
    about_id uuid not null,
    created_at timestamptz not null,
    claimed_at timestamptz
);
