-- What an application got may end before its session: the application gives it back, or somebody has shown a copy. It has no
-- tokens any more then, but may have a session of its own, so it is told when this one ends: until then `notice_due_at` is
-- the moment at which that is at the latest.
ALTER TABLE access_grant ADD COLUMN ended_early INTEGER NOT NULL DEFAULT FALSE;

-- Codes that were never used go soon.
CREATE INDEX access_grant_unused ON access_grant (created_at) WHERE code_used_at IS NULL;
