-- What an application got may end before its session: the application gives it back, or somebody has shown a copy. It has no
-- tokens any more then, but may have a session of its own, so it is told when this one ends: until then `notice_due_at` is
-- the moment at which that is at the latest.
ALTER TABLE access_grant ADD COLUMN ended_early INTEGER NOT NULL DEFAULT FALSE;

-- Codes that were never used go soon.
CREATE INDEX access_grant_unused ON access_grant (created_at) WHERE code_used_at IS NULL;

-- Requests of applications that are too long to be carried along in an address while somebody signs in, sealed. Strangers
-- make them, so there are never more than so many, of one place and in all.
CREATE TABLE carried_request (
    token_hash BLOB NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    source TEXT NOT NULL,
    sealed BLOB NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX carried_request_source ON carried_request (source, created_at);
CREATE INDEX carried_request_created_at ON carried_request (created_at);
