-- Whom a stamped copy was given to is found by the nonce in its stamp.
CREATE INDEX downloads_stamp_nonce ON downloads (stamp_nonce, id) WHERE stamp_nonce IS NOT NULL;
