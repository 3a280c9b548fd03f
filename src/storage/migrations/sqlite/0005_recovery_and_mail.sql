-- Links to choose a new password that somebody asked for: looked up later, so that the answer says nothing. No foreign
-- keys: what was typed need not exist.
CREATE TABLE reset_request (
    id BLOB NOT NULL PRIMARY KEY,
    company_key TEXT NOT NULL,
    email_key TEXT NOT NULL,
    address TEXT,
    browser TEXT,
    request TEXT,
    created_at TEXT NOT NULL
) STRICT;

-- A company's own mail server. A company without a row sends through the installation's.
CREATE TABLE mail_server (
    company_id BLOB NOT NULL PRIMARY KEY REFERENCES company (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    host TEXT NOT NULL,
    port INTEGER NOT NULL,
    security TEXT NOT NULL,
    login_user TEXT,
    sealed_password BLOB,
    sender TEXT NOT NULL,
    reply_to TEXT,
    fall_back INTEGER NOT NULL,
    changed_at TEXT NOT NULL
) STRICT;

-- What the mail server said in the end, for a test mail.
ALTER TABLE mail_outbox ADD COLUMN answer TEXT;

CREATE INDEX mail_outbox_lane ON mail_outbox (company_id, priority, due_at) WHERE sent_at IS NULL AND given_up_at IS NULL;
CREATE INDEX mail_outbox_test ON mail_outbox (company_id, created_at) WHERE kind = 'test_mail';
CREATE INDEX mail_outbox_given_up ON mail_outbox (company_id, given_up_at) WHERE given_up_at IS NOT NULL;
