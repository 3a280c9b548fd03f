-- What ends is written down: when the last try of a code was counted, and the token that a session had before.

-- Five counted codes lock, whether or not somebody was left to write the lock down.
ALTER TABLE account ADD COLUMN last_code_at TEXT;
DROP INDEX account_locked;
CREATE INDEX account_locked ON account (company_id, id) WHERE locked_at IS NOT NULL OR wrong_codes >= 5;

-- Opens nothing: with it a session is ended that got a new token while it was signed out.
ALTER TABLE session ADD COLUMN former_token_hash BLOB;
CREATE INDEX session_former_token ON session (former_token_hash) WHERE former_token_hash IS NOT NULL;
