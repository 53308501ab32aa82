-- A blocked or reported user does not follow the other one: pictures and videos from after that are not shown to them.

create function is_after_parting(viewer_id uuid, shown_id uuid) returns boolean language sql stable parallel safe as $$
    select exists (
        select from media
        where media_id = shown_id and (
            exists (
                select from blocks
                where blocker_id = owner_id and blocked_id = viewer_id and blocks.created_at < media.created_at
            )
            or exists (
                select from reports
                where reporter_id = owner_id and reported_id = viewer_id and reports.created_at < media.created_at
            )
        )
    )
$$;
