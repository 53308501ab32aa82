-- Proofs of age from a provider.

-- name: begin(user_id, state_hash, nonce, verifier, now)!
-- One check per user at a time.
insert into age_checks (user_id, state_hash, nonce, verifier, begun_at)
values (:user_id, :state_hash, :nonce, :verifier, coalesce(:now::timestamptz, clock_timestamp()))
on conflict (user_id) do update set
    state_hash = excluded.state_hash, nonce = excluded.nonce, verifier = excluded.verifier, begun_at = excluded.begun_at;

-- name: take(user_id, state_hash, hours, now)
delete from age_checks
where user_id = :user_id and state_hash = :state_hash
    and begun_at > coalesce(:now::timestamptz, clock_timestamp()) - make_interval(hours => :hours)
returning nonce, verifier;

-- name: prove(user_id, provider, now)!
insert into age_proofs (user_id, provider, proven_at)
values (:user_id, :provider, coalesce(:now::timestamptz, clock_timestamp()))
on conflict (user_id) do update set provider = excluded.provider, proven_at = excluded.proven_at;

-- name: find(user_id)
select provider, proven_at from age_proofs where user_id = :user_id;
