-- What was this account's own and is only old: mailed codes beyond their sign-in, tokens of trust after their change.

-- Fingerprints of the codes that were mailed to an account and not used. They outlive the sign-in or the set-up that the
-- code was for, and open nothing: an old code that is entered is told from a guess.
CREATE TABLE mailed_code (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    fingerprint BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
);
CREATE INDEX mailed_code_account ON mailed_code (company_id, account_id, created_at);
CREATE INDEX mailed_code_created_at ON mailed_code (created_at);

-- The token before the last change: good for a moment more, because an answer may be lost.
ALTER TABLE trusted_browser ADD COLUMN previous_hash BYTEA;
CREATE INDEX trusted_browser_previous_hash ON trusted_browser (previous_hash);

-- Wrong passwords that were entered in a session since it last proved who it is.
ALTER TABLE session ADD COLUMN wrong_passwords BIGINT NOT NULL DEFAULT 0;
