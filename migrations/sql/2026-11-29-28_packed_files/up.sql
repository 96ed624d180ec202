-- Packed tars are told by what is in them now, and not by their names alone: what was no archive by its
-- name is looked into again, once it has to be known.
UPDATE artifacts SET examined = FALSE
WHERE examined = TRUE AND archive IS NULL AND unstampable IS NULL;
