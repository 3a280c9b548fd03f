-- What whoever ended a session typed for its owner: told with the reason, for as long.
ALTER TABLE ended_session ADD COLUMN note TEXT;
