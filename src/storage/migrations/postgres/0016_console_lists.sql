-- Lists of the console in more orders, and what is shown to one session only.

CREATE INDEX account_last_sign_in ON account (company_id, last_sign_in_at, id);
-- SQLite takes the newest of several that serve alike: those of a few accounts each.
DROP INDEX account_no_factor;
CREATE INDEX account_no_factor ON account (company_id, id) WHERE app_secret IS NULL AND NOT email_factor;
DROP INDEX account_email_factor;
CREATE INDEX account_email_factor ON account (company_id, id) WHERE email_factor;
DROP INDEX account_app;
CREATE INDEX account_app ON account (company_id, id) WHERE app_secret IS NOT NULL;
DROP INDEX account_inactive;
CREATE INDEX account_inactive ON account (company_id, id) WHERE NOT active;
DROP INDEX account_locked;
CREATE INDEX account_locked ON account (company_id, id) WHERE locked_at IS NOT NULL OR wrong_codes >= 5;

-- What a page shows for a moment to the session that brought it about: a backup code that was issued, whom an undo is
-- about. Sealed, because a code is among it; of each kind the newest.
CREATE TABLE session_note (
    company_id UUID NOT NULL,
    session_id UUID NOT NULL,
    kind TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (company_id, session_id, kind),
    FOREIGN KEY (company_id, session_id) REFERENCES session (company_id, id) ON DELETE CASCADE
);
CREATE INDEX session_note_expires_at ON session_note (expires_at);
