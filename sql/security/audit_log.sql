-- Actions of staff and operator. Rows are only added; a trigger chains them.

-- name: write(actor, action, target, reason, now)!
insert into audit_log (at, actor, action, target, reason)
values (coalesce(:now::timestamptz, clock_timestamp()), :actor, :action, :target, :reason);

-- name: page(before, most)
-- Newest first, with the actor's name if they are on the staff now.
select
    a.seq, a.at, a.actor, coalesce(s.name, a.actor) as actor_name, a.action, a.target, a.reason,
    encode(a.hash, 'hex') as hash
from audit_log a left join staff s on s.staff_id::text = a.actor
where a.seq < :before order by a.seq desc limit :most;

-- name: chain(after, most)
select seq, at, actor, action, target, reason, encode(previous, 'hex') as previous, encode(hash, 'hex') as hash
from audit_log where seq > :after order by seq limit :most;
