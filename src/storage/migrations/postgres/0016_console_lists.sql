-- Lists of the console in more orders, and what is shown to one session only.

CREATE INDEX account_last_sign_in ON account (company_id, last_sign_in_at, id) WHERE last_sign_in_at IS NOT NULL;
CREATE INDEX account_never_signed_in ON account (company_id, name_key) WHERE last_sign_in_at IS NULL;

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
