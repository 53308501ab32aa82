-- Figures of the whole site, one row an hour, for the plots of the console. Kept for eight days.

create table hourly_figures (
    hour timestamptz primary key,
    -- The most users online at one look; one look a minute.
    online integer not null,
    calls integer not null,
    good_calls integer not null,
    declined integer not null,
    cancelled integer not null,
    missed integer not null,
    payments integer not null
);
