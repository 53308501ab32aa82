-- What a moderator removed from a user's card, and why: shown to its owner until they replace it.

create table removals (
    user_id uuid not null references users,
    kind text not null check (kind in ('selfie', 'video')),
    reason text not null check (char_length(reason) between 1 and 500),
    removed_at timestamptz not null,
    primary key (user_id, kind)
);
create index removals_oldest on removals (removed_at);
