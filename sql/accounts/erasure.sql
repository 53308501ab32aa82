-- Erasure of a user. An id without a name stays: call histories and payment records refer to it. Every statement can
-- be repeated.

-- name: lock(user_id)
select user_id from accounts where user_id = :user_id for update;
select deleted_at is null as is_there from users where user_id = :user_id for update;

-- name: erase(user_id, now)!
-- Recovery codes are deleted with the account (cascade), chunks with the media. Ended sessions stay for some
-- minutes, so that the sweep of every process closes their sockets (then: sql/retention.sql).
delete from accounts where user_id = :user_id;
update sessions
set ended_at = coalesce(:now::timestamptz, clock_timestamp()), ended_reason = 'deleted'
where user_id = :user_id and ended_at is null;
update users
set name = 'Deleted', gender = 'unspecified', handles = '{}', selfie_id = null, video_id = null, successful_calls = 0,
    deleted_at = coalesce(deleted_at, :now::timestamptz, clock_timestamp())
where user_id = :user_id;
-- Before the media, which they hold.
delete from removals where user_id = :user_id;
delete from media where owner_id = :user_id;
delete from access_grants where user_id = :user_id;
delete from age_proofs where user_id = :user_id;
delete from age_checks where user_id = :user_id;
delete from invite_code_uses where user_id = :user_id;
-- Stopped permanently, as by the operator. Users who redeemed the code keep their access.
update invite_codes
set stopped_at = coalesce(stopped_at, :now::timestamptz, clock_timestamp()), stopped_by = 'operator'
where owner_id = :user_id;
delete from blocks where :user_id::uuid in (blocker_id, blocked_id);
delete from cooldowns where :user_id::uuid in (low_id, high_id);
delete from seen_addresses where user_id = :user_id;
delete from seen_devices where user_id = :user_id;
delete from guesses where kind in ('report', 'export') and subject = :user_id::text;
delete from introduction_links where :user_id::uuid in (introducer_id, person_id);
delete from introductions where :user_id::uuid in (newcomer_id, person_id, introducer_id);
delete from contacts where call_id in (select call_id from calls where :user_id::uuid in (caller_id, callee_id));
delete from call_messages where sender_id = :user_id;
-- Open reports are kept for the moderators; of decided reports only the count stays.
delete from report_frames where report_id in (select report_id from reports where reporter_id = :user_id and verdict is not null);
delete from report_lines where report_id in (select report_id from reports where reporter_id = :user_id and verdict is not null);
update reports set text = null where reporter_id = :user_id and verdict is not null;
delete from appeals where ban_id in (select ban_id from bans where user_id = :user_id);
-- Evidence for a dispute, together with the payment.
delete from terms_acceptances where user_id = :user_id and not exists (
    select from checkouts where checkouts.user_id = :user_id and settled_at is not null
);
delete from recovery_links where user_id = :user_id;
delete from receipt_emails where user_id = :user_id;
-- Amount, time and payment number stay, for accounting.
update checkouts set checkout_url = null where user_id = :user_id;
insert into tombstones (kind, id, buried_at)
values ('user', :user_id, coalesce(:now::timestamptz, clock_timestamp()))
on conflict do nothing;
