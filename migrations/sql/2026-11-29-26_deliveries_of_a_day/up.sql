-- A part of a file goes on with the delivery of the same day: found without a look at those of others.
CREATE INDEX downloads_same_day ON downloads (artifact_id, network, license_id, id);
