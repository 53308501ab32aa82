-- Accepted versions of the terms.

-- name: accept(user_id, version, text_hash, text, now)!
with shown as (
    insert into terms_texts (text_hash, text) values (:text_hash, :text) on conflict do nothing
)
insert into terms_acceptances (user_id, version, text_hash, accepted_at)
values (:user_id, :version, :text_hash, coalesce(:now::timestamptz, clock_timestamp()))
on conflict (user_id, version) do nothing;

-- name: of(user_id)
select version, accepted_at, text, encode(text_hash, 'hex') as text_hash
from terms_acceptances join terms_texts using (text_hash)
where user_id = :user_id order by accepted_at;
