-- The event of the doctor.

-- name: effect(event_id)
select effect from stripe_events where event_id = :event_id;

-- name: forget(event_id)!
delete from stripe_events where event_id = :event_id;
