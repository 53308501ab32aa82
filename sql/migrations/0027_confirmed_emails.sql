-- Recovery links go to confirmed addresses only, and also to guests who have paid.

alter table accounts add column email_confirmed_at timestamptz;
-- Accounts of before keep their way back.
update accounts set email_confirmed_at = created_at;

alter table recovery_links
    drop constraint recovery_links_user_id_fkey,
    add constraint recovery_links_user_id_fkey foreign key (user_id) references users;
