-- Alerts to the staff: an outbox.

-- name: raise_alert(kind, path, now)!
insert into alerts (kind, path, created_at) values (:kind, :path, coalesce(:now::timestamptz, clock_timestamp()));

-- name: raise_once(kind, path, now)!
-- Unless the same one waits: sent together they would say the same, and many would delay others.
insert into alerts (kind, path, created_at)
select :kind, :path, coalesce(:now::timestamptz, clock_timestamp())
where not exists (select from alerts where kind = :kind and path = :path and sent_at is null and claimed_at is null);

-- name: raise_rarely(kind, path, every, now)!
insert into alerts (kind, path, created_at)
select :kind, :path, at from coalesce(:now::timestamptz, clock_timestamp()) as at
where not exists (select from alerts where kind = :kind and created_at > at - make_interval(secs => :every));

-- name: claim(every, most, now)
-- The unsent alerts, for one sender. None within `every` seconds of the last claim, so that a flood becomes a few
-- messages; a claim whose sender died or failed can be taken after the same time. A message of waiting reports or
-- appeals alone does not delay the others.
update alerts set claimed_at = at
from coalesce(:now::timestamptz, clock_timestamp()) as at
where alert_id in (
    select alert_id from alerts one
    where sent_at is null and (claimed_at is null or claimed_at <= at - make_interval(secs => :every))
        and not exists (
            select from alerts last
            where last.claimed_at > at - make_interval(secs => :every) and (one.kind in ('report', 'appeal') or last.kind not in ('report', 'appeal'))
        )
    order by alert_id limit :most for update skip locked
)
returning alert_id, kind, path, created_at, mailed_at is not null as is_mailed, posted_at is not null as is_posted;

-- name: mark_mailed(alert_ids, now)!
update alerts set mailed_at = coalesce(:now::timestamptz, clock_timestamp()) where alert_id = any(:alert_ids::bigint[]);

-- name: mark_posted(alert_ids, now)!
update alerts set posted_at = coalesce(:now::timestamptz, clock_timestamp()) where alert_id = any(:alert_ids::bigint[]);

-- name: mark_sent(alert_ids, by_mail, by_webhook, now)!
-- Those that every channel has taken.
update alerts set sent_at = coalesce(:now::timestamptz, clock_timestamp())
where alert_id = any(:alert_ids::bigint[]) and (mailed_at is not null or not :by_mail) and (posted_at is not null or not :by_webhook);
