-- A person goes. What stays is an id that says nothing: the other party of a call has it in their history, and the
-- bookkeeping of payments hangs on it. All of it may be done twice.

-- name: lock(user_id)
select user_id from accounts where user_id = :user_id for update;
select deleted_at is null as is_there from users where user_id = :user_id for update;

-- name: erase(user_id, now)!
-- Recovery codes and links go with the account; chunks with the media. Sessions stay ended for some minutes, so that the
-- sweep of every process closes their sockets; then they go too (sql/retention.sql).
delete from accounts where user_id = :user_id;
update sessions
set ended_at = coalesce(:now::timestamptz, clock_timestamp()), ended_reason = 'deleted'
where user_id = :user_id and ended_at is null;
update users
set name = 'Deleted', gender = 'unspecified', handles = '{}', selfie_id = null, video_id = null, successful_calls = 0,
    deleted_at = coalesce(deleted_at, :now::timestamptz, clock_timestamp())
where user_id = :user_id;
delete from media where owner_id = :user_id;
delete from access_grants where user_id = :user_id;
delete from invite_code_uses where user_id = :user_id;
-- Stopped for good, as what the operator switches off: friends whom it brought keep what they have.
update invite_codes
set stopped_at = coalesce(stopped_at, :now::timestamptz, clock_timestamp()), stopped_by = 'operator'
where owner_id = :user_id;
delete from blocks where :user_id::uuid in (blocker_id, blocked_id);
delete from cooldowns where :user_id::uuid in (low_id, high_id);
delete from seen_addresses where user_id = :user_id;
delete from guesses where kind in ('report', 'export') and subject = :user_id::text;
delete from introduction_links where :user_id::uuid in (introducer_id, person_id);
delete from removals where user_id = :user_id;
delete from introductions where :user_id::uuid in (newcomer_id, person_id, introducer_id);
delete from contacts where call_id in (select call_id from calls where :user_id::uuid in (caller_id, callee_id));
delete from call_messages where sender_id = :user_id;
-- What they said of others is judged first; once it is, only the count stays.
delete from report_frames where report_id in (select report_id from reports where reporter_id = :user_id and verdict is not null);
delete from report_lines where report_id in (select report_id from reports where reporter_id = :user_id and verdict is not null);
update reports set text = null where reporter_id = :user_id and verdict is not null;
delete from appeals where ban_id in (select ban_id from bans where user_id = :user_id);
-- Amount, instant and the payment's own number stay: bookkeeping.
update checkouts set checkout_url = null where user_id = :user_id;
insert into tombstones (kind, id, buried_at)
values ('user', :user_id, coalesce(:now::timestamptz, clock_timestamp()))
on conflict do nothing;
