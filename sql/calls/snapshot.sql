-- The snapshot for a seat that is taken, without the call's own row.

-- name: of(call_id, user_id, peer_id, most)
-- Prepared.
-- The peer (null once deleted), the newest lines in order, whether there are more, and the handles that the peer has shared.
select
    (
        select jsonb_build_object('user_id', user_id, 'name', name, 'gender', gender, 'selfie_id', selfie_id, 'kind', kind)
        from users where user_id = :peer_id and deleted_at is null
    ) as peer,
    array(
        select jsonb_build_object('message_id', message_id, 'sender_id', sender_id, 'text', text, 'sent_at', sent_at)
        from (
            select message_id, sender_id, text, sent_at from call_messages
            where call_id = :call_id order by sent_at desc, message_id desc limit :most
        ) as newest
        order by sent_at, message_id
    ) as lines,
    exists (select from call_messages where call_id = :call_id offset :most) as has_more,
    (
        select contacts.handles
        from contacts
        join users on users.user_id = contacts.user_id and users.deleted_at is null
        where contacts.call_id = :call_id and contacts.user_id = :peer_id and contacts.handles is not null
            and exists (select from contacts mine where mine.call_id = :call_id and mine.user_id = :user_id)
    ) as shared;
