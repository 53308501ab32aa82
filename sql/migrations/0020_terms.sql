-- Accepted versions of the terms. Members who signed up before are asked once.

-- The exact texts, as they were shown (Markdown).
create table terms_texts (
    text_hash bytea primary key,
    text text not null
);

create table terms_acceptances (
    user_id uuid not null references users,
    version text not null,
    text_hash bytea not null references terms_texts,
    accepted_at timestamptz not null,
    primary key (user_id, version)
);
