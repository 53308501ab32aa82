-- Programs of the operator: partners of the demo (robot), and callers of the doctor (probe), whom no member sees.

alter table users add column kind text not null default 'person' check (kind in ('person', 'robot', 'probe'));
create index users_probes on users (user_id) where kind = 'probe';
