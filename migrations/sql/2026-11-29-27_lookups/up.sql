-- Whoever looks for an order by its address does not know in which spelling it was typed.
DROP INDEX orders_email;
CREATE INDEX orders_email_spelling ON orders (lower(email));

-- Whom a stamped copy was given to is found by the nonce in its stamp.
CREATE INDEX downloads_stamp_nonce ON downloads (stamp_nonce, id) WHERE stamp_nonce IS NOT NULL;
