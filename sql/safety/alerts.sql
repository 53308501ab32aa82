-- Alerts to the staff: an outbox.

-- name: raise_alert(kind, path, now)!
insert into alerts (kind, path, created_at) values (:kind, :path, coalesce(:now::timestamptz, clock_timestamp()));

-- name: claim(every, most, now)
-- The unsent alerts, for one sender. None within `every` seconds of the last claim, so that a flood becomes a few
-- messages; a claim whose sender died or failed can be taken after the same time.
update alerts set claimed_at = at
from coalesce(:now::timestamptz, clock_timestamp()) as at
where alert_id in (
    select alert_id from alerts
    where sent_at is null and (claimed_at is null or claimed_at <= at - make_interval(secs => :every))
        and not exists (select from alerts last where last.claimed_at > at - make_interval(secs => :every))
    order by alert_id limit :most for update skip locked
)
returning alert_id, kind, path, created_at;

-- name: mark_sent(alert_ids, now)!
update alerts set sent_at = coalesce(:now::timestamptz, clock_timestamp()) where alert_id = any(:alert_ids::bigint[]);
