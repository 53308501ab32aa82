-- Reports: one open report per pair that further reports add to; media under legal hold; hidden cards.

alter table reports
    drop constraint reports_reporter_id_reported_id_key,
    -- The name that the reported user had then.
    add column reported_name text,
    -- Since when its reason is as grave as it is: deadlines run from here.
    add column grave_since timestamptz,
    -- Keyed hashes of the reporter's addresses then: they outlive the list of recent addresses.
    add column addresses bytea[] not null default '{}';
create unique index reports_one_open on reports (reporter_id, reported_id) where verdict is null;
create index reports_of_pair on reports (reporter_id, reported_id);

-- The gravest reason of a report has the lowest rank.
create function report_gravity(reason text) returns integer language sql immutable parallel safe as $$
    select array_position(array['minor', 'nudity', 'harassment', 'fake', 'spam', 'other'], reason)
$$;

-- Further reports of the same user about the same user while the first one is undecided.
create table report_additions (
    addition_id uuid primary key,
    report_id uuid not null references reports on delete cascade,
    reason text not null,
    source text not null,
    call_id uuid,
    text text check (char_length(text) <= 1000),
    created_at timestamptz not null
);
create index report_additions_of_report on report_additions (report_id, created_at);

-- The media that the reported user's card showed at the time of a report.
create table report_media (
    report_id uuid not null references reports on delete cascade,
    media_id uuid not null,
    kind text not null,
    primary key (report_id, media_id)
);
create index report_media_of_media on report_media (media_id);

-- Several pictures per report.
alter table report_frames drop constraint report_frames_pkey;
alter table report_frames add column number integer not null default 0, add primary key (report_id, number);

-- Set when media that a report refers to are deleted: from then on only moderators see them.
alter table media add column detached_at timestamptz;
create index media_detached on media (detached_at) where detached_at is not null;

-- Holds reported media: a deletion detaches them instead.
create function hold_reported_media() returns trigger language plpgsql as $$
begin
    if exists (select from report_media where media_id = old.media_id) then
        update media set detached_at = clock_timestamp() where media_id = old.media_id and detached_at is null;
        insert into tombstones (kind, id, buried_at) values ('media', old.media_id, clock_timestamp()) on conflict do nothing;
        return null;
    end if;
    return old;
end
$$;
create trigger hold_reported_media before delete on media for each row execute function hold_reported_media();

-- Two independent reports of an under-age user hide the card until a moderator has reviewed them.
alter table users add column card_hidden_at timestamptz;
create index users_card_hidden on users (card_hidden_at) where card_hidden_at is not null;

-- The decision of the last such report shows the card again.
create function show_reviewed_card() returns trigger language plpgsql as $$
begin
    update users set card_hidden_at = null
    where user_id = new.reported_id and card_hidden_at is not null and not exists (
        select from reports where reported_id = new.reported_id and reason = 'minor' and verdict is null
    );
    return null;
end
$$;
create trigger show_reviewed_card after update of verdict on reports for each row
when (new.verdict is not null and new.reason = 'minor') execute function show_reviewed_card();

-- Reports are kept for a period after their decision.
create index reports_reviewed on reports (reviewed_at) where verdict is not null;
drop index reports_oldest;
