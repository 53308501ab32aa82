-- How many chat messages each side has sent in a call, and until when its share of the rate is used up.
alter table calls
    add column caller_lines integer not null default 0,
    add column callee_lines integer not null default 0,
    add column caller_chat_until timestamptz not null default '-infinity',
    add column callee_chat_until timestamptz not null default '-infinity';
