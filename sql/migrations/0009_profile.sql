-- The intro video on a card, and introductions of two users by a third.

alter table users add column video_id uuid references media on delete set null;
-- The owner. Checked by the two foreign keys when a picture or a video is deleted.
create index users_of_video on users (video_id) where video_id is not null;
create index users_of_selfie on users (selfie_id) where selfie_id is not null;

-- "Introduce a friend to …": one link per pair at a time, shown again while it is valid.
create table introduction_links (
    token text primary key check (char_length(token) >= 22),
    introducer_id uuid not null references users,
    person_id uuid not null references users,
    expires_at timestamptz not null,
    unique (introducer_id, person_id),
    check (introducer_id <> person_id)
);
create index introduction_links_of_person on introduction_links (person_id);

-- The users who followed such a link. The two are introduced once, in either order.
create table introductions (
    newcomer_id uuid not null references users,
    person_id uuid not null references users,
    introducer_id uuid not null references users,
    made_at timestamptz not null,
    primary key (newcomer_id, person_id),
    check (newcomer_id <> person_id and introducer_id not in (newcomer_id, person_id))
);
create unique index introductions_once_a_pair on introductions (least(newcomer_id, person_id), greatest(newcomer_id, person_id));
create index introductions_of_person on introductions (person_id);
create index introductions_of_introducer on introductions (introducer_id);
