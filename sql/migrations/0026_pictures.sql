-- Re-uploads of removed pictures; previews and frames for the staff; marks of deleted users who were reported.

alter table media
    -- Perceptual hashes of the picture (of a video: of one frame) and its variants.
    add column hashes bit(256)[],
    -- 16 by 16 pixels, as JPEG.
    add column preview bytea,
    -- A frame of a video, as JPEG.
    add column frame bytea;
alter table report_frames add column preview bytea;

-- Hashes of removed pictures, without their owners. The id is that of the removal.
create table removed_pictures (
    picture_id uuid primary key,
    hashes bit(256)[] not null,
    removed_at timestamptz not null
);
create index removed_pictures_oldest on removed_pictures (removed_at);

-- New pictures that resemble a removed one, or that the external service knows.
create table picture_flags (
    media_id uuid primary key references media on delete cascade,
    cause text not null check (cause in ('removed', 'service')),
    flagged_at timestamptz not null
);

alter table alerts
    drop constraint alerts_kind_check,
    add constraint alerts_kind_check
        check (kind in ('ban', 'minor', 'notice', 'picture', 'payment', 'refund', 'dispute', 'fraud'));

-- Browsers of users, by their `device` cookie, as keyed hashes; deleted after days, like addresses.
create table seen_devices (
    user_id uuid not null references users on delete cascade,
    device_hash bytea not null,
    seen_at timestamptz not null,
    primary key (user_id, device_hash)
);
create index seen_devices_oldest on seen_devices (seen_at);

-- Marks of deleted users about whom there are reports.
create table person_marks (
    user_id uuid not null,
    kind text not null check (kind in ('email', 'address', 'device')),
    hash bytea not null,
    kept_at timestamptz not null,
    primary key (user_id, kind, hash)
);
create index person_marks_of_hash on person_marks (kind, hash);
create index person_marks_oldest on person_marks (kept_at);

-- A few notices a day are confirmed to one address.
create index notices_of_email on notices (lower(email), created_at);
