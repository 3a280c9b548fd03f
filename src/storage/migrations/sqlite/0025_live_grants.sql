-- What applications have of sessions that have not ended, by the end of these: the background ends them then. Few, because a
-- session that has ended takes its grants out.
CREATE INDEX access_grant_live ON access_grant (expires_at) WHERE NOT is_over OR ended_early;
