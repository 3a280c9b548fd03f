-- Why a session is over: told to the browser that still has its token, for a day. No foreign keys: what it tells outlives
-- the session, and may outlive the account.
CREATE TABLE ended_session (
    token_hash BLOB NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    session_id BLOB NOT NULL,
    company_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    reason TEXT NOT NULL,
    minutes INTEGER,
    ended_at TEXT NOT NULL
) STRICT;
CREATE INDEX ended_session_ended_at ON ended_session (ended_at);

-- What somebody typed, or was shown once, sealed and for minutes: a form that was sent when the session had ended or a proof
-- was missing, found by the token in its browser; codes that are shown once, found by their session.
CREATE TABLE kept (
    session_id BLOB NOT NULL,
    path TEXT NOT NULL,
    company_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    token_hash BLOB CHECK (length(token_hash) = 32),
    sealed BLOB NOT NULL,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (session_id, path),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX kept_account ON kept (company_id, account_id);
CREATE INDEX kept_token_hash ON kept (token_hash) WHERE token_hash IS NOT NULL;
CREATE INDEX kept_expires_at ON kept (expires_at);
