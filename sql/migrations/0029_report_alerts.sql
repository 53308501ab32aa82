-- Alerts of new reports and appeals.

alter table alerts
    drop constraint alerts_kind_check,
    add constraint alerts_kind_check
        check (kind in ('report', 'appeal', 'ban', 'minor', 'notice', 'picture', 'payment', 'refund', 'dispute', 'fraud'));
create index alerts_of_kind on alerts (kind, created_at);
