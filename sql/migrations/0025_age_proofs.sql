-- Proofs of age from a provider: that the user is over 18, by whose word, and since when. Nothing else.

create table age_proofs (
    user_id uuid primary key references users,
    provider text not null,
    proven_at timestamptz not null
);

-- A check that has begun; it ends after an hour.
create table age_checks (
    user_id uuid primary key references users,
    state_hash bytea not null,
    nonce text not null,
    verifier text not null,
    begun_at timestamptz not null
);
create index age_checks_oldest on age_checks (begun_at);
