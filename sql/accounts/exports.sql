-- A user's own data for the export. Of other users only the name that the call history shows.

-- name: profile(user_id)
select
    user_id::text as "userId", name, gender, adult_at as "adultAt", handles, selfie_id::text as "selfieId",
    video_id::text as "videoId", successful_calls as "successfulCalls", created_at as "createdAt"
from users where user_id = :user_id and deleted_at is null;

-- name: account(user_id)
-- Hashes are left out.
select
    email, created_at as "createdAt", password_at as "passwordAt",
    (select count(*) from recovery_codes r where r.user_id = a.user_id and used_at is null) as "recoveryCodesLeft",
    (select expires_at from recovery_links r where r.user_id = a.user_id) as "recoveryLinkUntil"
from accounts a where user_id = :user_id;

-- name: sessions(user_id)
select
    created_at as "createdAt", renewed_at as "renewedAt", expires_at as "expiresAt", ended_at as "endedAt",
    ended_reason as "endedReason"
from sessions where user_id = :user_id order by created_at;

-- name: access(user_id)
select reason, granted_at as "grantedAt", ended_at as "endedAt", ended_reason as "endedReason"
from access_grants where user_id = :user_id order by granted_at;

-- name: terms(user_id)
-- The versions of the terms that the user has accepted, with their text.
select version, accepted_at as "acceptedAt", text
from terms_acceptances join terms_texts using (text_hash) where user_id = :user_id order by accepted_at;

-- name: age_proof(user_id)
select provider, proven_at as "provenAt" from age_proofs where user_id = :user_id;

-- name: payments(user_id)
select
    attempt_id::text as "paymentId", kind, amount_cents as "amountCents", currency, state, session_id as "stripeSession",
    c.payment_intent as "stripePayment", created_at as "createdAt", settled_at as "settledAt",
    refunded_cents(c.payment_intent) as "refundedCents", review as "differences", paid_cents as "paidCents",
    paid_currency as "paidCurrency", start_asked_at as "startAskedAt", start_words as "startWords",
    withdrawn_at as "withdrawnAt", refund_asked_at as "refundAskedAt", receipt_number as "receiptNumber", tax_cents as "taxCents",
    tax_percent as "taxPercent", receipt_seller as "receiptSeller",
    receipt_mailed_at as "receiptMailedAt",
    (select json_build_object('email', e.email, 'confirmedAt', e.confirmed_at) from receipt_emails e where e.user_id = c.user_id) as "receiptEmail",
    array(select status from disputes d where d.payment_intent = c.payment_intent) as disputes
from checkouts c
where user_id = :user_id order by created_at;

-- name: code(user_id)
select code, uses, uses_limit as "usesLimit", created_at as "createdAt", stopped_at as "stoppedAt"
from invite_codes where owner_id = :user_id;

-- name: code_used(user_id)
select code, used_at as "usedAt" from invite_code_uses where user_id = :user_id;

-- name: media(user_id)
select
    media_id::text as "mediaId", kind, content_type as "contentType", byte_size as "byteSize", created_at as "createdAt"
from media where owner_id = :user_id and detached_at is null order by created_at;

-- name: calls(user_id)
select
    call_id::text as "callId", case when caller_id = :user_id then 'caller' else 'callee' end as role,
    case when partner.deleted_at is null then partner.name end as "partnerName", agreed_seconds as "agreedSeconds",
    started_at as "startedAt", ended_at as "endedAt", ended_reason as "endedReason", connected_ms / 1000 as "connectedSeconds"
from calls
join users partner on partner.user_id = case when caller_id = :user_id then callee_id else caller_id end
where :user_id::uuid in (caller_id, callee_id) order by started_at;

-- name: messages(user_id)
select call_id::text as "callId", text, sent_at as "sentAt" from call_messages where sender_id = :user_id order by sent_at;

-- name: contacts(user_id)
select call_id::text as "callId", is_yes as "isYes", said_at as "saidAt", handles
from contacts where user_id = :user_id order by said_at;

-- name: rings(user_id)
select case when caller_id = :user_id then 'caller' else 'callee' end as role, outcome, decided_at as "decidedAt"
from invite_outcomes where :user_id::uuid in (caller_id, callee_id) order by decided_at;

-- name: cooldowns(user_id)
select until_at as "until" from cooldowns where :user_id::uuid in (low_id, high_id) order by until_at;

-- name: reports(user_id)
-- Reports that the user made, with their own messages.
select
    case when u.deleted_at is null then u.name end as "aboutName", r.reason, r.text, r.source, r.created_at as "createdAt", r.verdict,
    array(select l.text from report_lines l where l.report_id = r.report_id and l.sender_id = :user_id) as "ownLines",
    array(select a.reason || coalesce(': ' || a.text, '') from report_additions a where a.report_id = r.report_id order by a.created_at) as "added",
    exists (select from report_frames f where f.report_id = r.report_id) as "hasPicture"
from reports r join users u on u.user_id = r.reported_id
where reporter_id = :user_id order by r.created_at;

-- name: reports_about(user_id, with_texts)
-- By whom, in which call and when exactly is left out, because it would name the reporter; so would most texts.
select
    reason, source, to_char(created_at at time zone 'UTC', 'YYYY-MM') as month, verdict,
    reviewed_at as "reviewedAt", case when :with_texts then text end as text,
    (select count(*) from report_lines l where l.report_id = r.report_id) as "lines",
    (select count(*) from report_media m where m.report_id = r.report_id) as "media",
    (select count(*) from report_frames f where f.report_id = r.report_id) as "pictures"
from reports r where reported_id = :user_id order by month, reason;

-- name: named(person, user_id)
select user_id::text from users where user_id = :user_id::uuid and deleted_at is null
union all
select user_id::text from accounts where email_key = lower(:person)
union all
select user_id::text from checkouts join users using (user_id)
where (session_id = :person or payment_intent = :person or attempt_id = :user_id::uuid) and deleted_at is null
limit 1;

-- name: bans(user_id)
select
    rule, b.reason, kind, b.created_at as "createdAt", until_at as "untilAt", lifted_at as "liftedAt",
    lifted_reason as "liftedReason", a.text as "appealText", a.created_at as "appealedAt", a.verdict as "appealVerdict",
    a.reply as "appealReply", exists (select from address_bans d where d.ban_id = b.ban_id) as "withAddresses"
from bans b left join appeals a using (ban_id)
where user_id = :user_id order by b.created_at;

-- name: removals(user_id)
-- Selfies and videos that moderators removed.
select
    kind, rule, reason, removed_at as "removedAt", appeal_text as "appealText", appealed_at as "appealedAt",
    verdict as "appealVerdict", reply as "appealReply"
from removals where user_id = :user_id order by removed_at;

-- name: blocks(user_id)
select u.name, b.created_at as "createdAt"
from blocks b join users u on u.user_id = b.blocked_id where blocker_id = :user_id order by b.created_at;

-- name: introductions(user_id)
select
    case :user_id::uuid when newcomer_id then 'newcomer' when person_id then 'person' else 'introducer' end as role,
    made_at as "madeAt"
from introductions where :user_id::uuid in (newcomer_id, person_id, introducer_id) order by made_at;

-- name: introduction_links(user_id)
select
    case :user_id::uuid when introducer_id then 'introducer' else 'person' end as role, expires_at as "expiresAt"
from introduction_links where :user_id::uuid in (introducer_id, person_id) order by expires_at;

-- name: addresses(user_id)
-- Addresses are stored as hashes, which are left out.
select seen_at as "seenAt" from seen_addresses where user_id = :user_id order by seen_at;
