-- Users as they are after sign-up: access, a selfie, one session each. In bulk; the bench signs up no user by
-- HTTP.

-- name: add_users(user_ids, names)!
insert into users (user_id, name, gender, adult_at, created_at)
select user_id, name, 'female', clock_timestamp(), clock_timestamp()
from unnest(:user_ids::uuid[], :names::text[]) as person (user_id, name);

-- name: add_selfies(user_ids, media_ids)!
insert into media (media_id, owner_id, kind, content_type, byte_size, created_at)
select media_id, user_id, 'selfie', 'image/jpeg', 40000, clock_timestamp()
from unnest(:user_ids::uuid[], :media_ids::uuid[]) as selfie (user_id, media_id);

-- name: wear_selfies(user_ids, media_ids)!
update users set selfie_id = media_id
from unnest(:user_ids::uuid[], :media_ids::uuid[]) as selfie (owner_id, media_id)
where user_id = owner_id;

-- name: grant_access(user_ids, grant_ids)!
insert into access_grants (grant_id, user_id, reason, source, granted_at)
select grant_id, user_id, 'payment', 'bench:' || user_id, clock_timestamp()
from unnest(:user_ids::uuid[], :grant_ids::uuid[]) as given (user_id, grant_id);

-- name: accept_terms(user_ids, version)!
with shown as (
    insert into terms_texts (text_hash, text) values ('bench', 'bench') on conflict do nothing
)
insert into terms_acceptances (user_id, version, text_hash, accepted_at)
select user_id, :version, 'bench', clock_timestamp() from unnest(:user_ids::uuid[]) as user_id;

-- name: sign_in(user_ids, session_ids, token_hashes)!
insert into sessions (session_id, token_hash, user_id, created_at, renewed_at, expires_at)
select session_id, token_hash, user_id, clock_timestamp(), clock_timestamp(), clock_timestamp() + interval '7 days'
from unnest(:user_ids::uuid[], :session_ids::uuid[], :token_hashes::bytea[]) as given (user_id, session_id, token_hash);
