-- Companies, accounts, and everything a sign-in needs.
-- Moments are text in RFC 3339 (UTC), which sorts as time does; identifiers and hashes are blobs; booleans are 0 or 1.

CREATE TABLE company (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    language TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    skip_second_factor_days INTEGER NOT NULL,
    require_second_factor TEXT NOT NULL DEFAULT 'off',
    password_min_length INTEGER NOT NULL DEFAULT 12,
    idle_minutes INTEGER,
    new_agent_mail TEXT NOT NULL DEFAULT 'account_details',
    trust_provider INTEGER NOT NULL DEFAULT 0 CHECK (trust_provider IN (0, 1)),
    created_at TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    CONSTRAINT company_name_key UNIQUE (name_key)
) STRICT;

CREATE TABLE account (
    company_id BLOB NOT NULL REFERENCES company (id) ON DELETE CASCADE,
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    alias TEXT NOT NULL,
    phone TEXT NOT NULL DEFAULT '',
    title TEXT NOT NULL DEFAULT '',
    language TEXT,
    hour_clock INTEGER NOT NULL DEFAULT 24 CHECK (hour_clock IN (12, 24)),
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    locked_at TEXT,
    lock_reason TEXT,
    wrong_codes INTEGER NOT NULL DEFAULT 0 CHECK (wrong_codes >= 0),
    password_hash TEXT,
    password_must_change INTEGER NOT NULL DEFAULT 0 CHECK (password_must_change IN (0, 1)),
    password_expires_at TEXT,
    email_factor INTEGER NOT NULL CHECK (email_factor IN (0, 1)),
    credential_version INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    last_sign_in_at TEXT,
    PRIMARY KEY (company_id, id),
    CONSTRAINT account_id UNIQUE (id),
    CONSTRAINT account_name_key UNIQUE (company_id, name_key),
    CONSTRAINT account_email_key UNIQUE (company_id, email_key)
) STRICT;

CREATE TABLE account_role (
    company_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('agent', 'supervisor', 'admin')),
    PRIMARY KEY (company_id, account_id, role),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE session (
    company_id BLOB NOT NULL,
    id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    token_hash BLOB NOT NULL CHECK (length(token_hash) = 32),
    created_at TEXT NOT NULL,
    last_used_at TEXT NOT NULL,
    ends_at TEXT NOT NULL,
    proof TEXT NOT NULL,
    proved_at TEXT NOT NULL,
    address TEXT,
    browser TEXT,
    credential_version INTEGER NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT session_token_hash UNIQUE (token_hash),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX session_account ON session (company_id, account_id);
CREATE INDEX session_ends_at ON session (ends_at);

CREATE TABLE pending_sign_in (
    company_id BLOB NOT NULL,
    id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    token_hash BLOB NOT NULL CHECK (length(token_hash) = 32),
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    mailed_at TEXT,
    resends INTEGER NOT NULL DEFAULT 0,
    credential_version INTEGER NOT NULL,
    next TEXT,
    address TEXT,
    browser TEXT,
    completed_at TEXT,
    session_id BLOB,
    PRIMARY KEY (company_id, id),
    CONSTRAINT pending_sign_in_token_hash UNIQUE (token_hash),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX pending_sign_in_account ON pending_sign_in (company_id, account_id);
CREATE INDEX pending_sign_in_expires_at ON pending_sign_in (expires_at);

CREATE TABLE one_time_code (
    company_id BLOB NOT NULL,
    id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    pending_id BLOB,
    purpose TEXT NOT NULL,
    code_hash BLOB NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    replaced_at TEXT,
    used_at TEXT,
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, pending_id) REFERENCES pending_sign_in (company_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX one_time_code_account ON one_time_code (company_id, account_id);
CREATE INDEX one_time_code_pending ON one_time_code (company_id, pending_id);
CREATE INDEX one_time_code_created_at ON one_time_code (created_at);

-- Wrong passwords: per subject (an account, or what was typed) and lane (a known browser, or everybody else).
CREATE TABLE password_try (
    subject BLOB NOT NULL,
    lane BLOB NOT NULL,
    failures INTEGER NOT NULL,
    blocked_until TEXT,
    changed_at TEXT NOT NULL,
    PRIMARY KEY (subject, lane)
) STRICT;
CREATE INDEX password_try_changed_at ON password_try (changed_at);

-- Wrong passwords per source, in fixed windows.
CREATE TABLE source_try (
    source TEXT NOT NULL,
    span TEXT NOT NULL CHECK (span IN ('minute', 'hour')),
    starts_at TEXT NOT NULL,
    tries INTEGER NOT NULL,
    PRIMARY KEY (source, span, starts_at)
) STRICT;
CREATE INDEX source_try_starts_at ON source_try (starts_at);

CREATE TABLE source_account (
    source TEXT NOT NULL,
    starts_at TEXT NOT NULL,
    subject BLOB NOT NULL,
    PRIMARY KEY (source, starts_at, subject)
) STRICT;
CREATE INDEX source_account_starts_at ON source_account (starts_at);

CREATE TABLE trusted_browser (
    company_id BLOB NOT NULL,
    id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    token_hash BLOB NOT NULL CHECK (length(token_hash) = 32),
    created_at TEXT NOT NULL,
    ends_at TEXT NOT NULL,
    last_used_at TEXT NOT NULL,
    credential_version INTEGER NOT NULL,
    address TEXT,
    browser TEXT,
    PRIMARY KEY (company_id, id),
    CONSTRAINT trusted_browser_token_hash UNIQUE (token_hash),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX trusted_browser_account ON trusted_browser (company_id, account_id);
CREATE INDEX trusted_browser_ends_at ON trusted_browser (ends_at);

CREATE TABLE known_browser (
    company_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    browser_hash BLOB NOT NULL CHECK (length(browser_hash) = 32),
    first_at TEXT NOT NULL,
    last_at TEXT NOT NULL,
    PRIMARY KEY (company_id, account_id, browser_hash),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX known_browser_last_at ON known_browser (last_at);

-- What a mail says is encrypted, and wiped as soon as the mail is sent or given up.
CREATE TABLE mail_outbox (
    id BLOB NOT NULL PRIMARY KEY,
    company_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    receiver TEXT NOT NULL,
    language TEXT NOT NULL,
    sealed BLOB,
    priority INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    due_at TEXT NOT NULL,
    expires_at TEXT,
    tries INTEGER NOT NULL DEFAULT 0,
    claimed_until TEXT,
    sent_at TEXT,
    given_up_at TEXT,
    problem TEXT,
    pending_id BLOB,
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX mail_outbox_waiting ON mail_outbox (priority, due_at) WHERE sent_at IS NULL AND given_up_at IS NULL;
CREATE INDEX mail_outbox_account ON mail_outbox (company_id, account_id, created_at);
CREATE INDEX mail_outbox_pending ON mail_outbox (company_id, pending_id);

-- No foreign keys: events outlive what they tell about.
CREATE TABLE audit_event (
    id BLOB NOT NULL PRIMARY KEY,
    at TEXT NOT NULL,
    company_id BLOB,
    actor TEXT NOT NULL,
    actor_id BLOB,
    target_id BLOB,
    event TEXT NOT NULL,
    address TEXT,
    browser TEXT,
    request TEXT,
    detail TEXT
) STRICT;
CREATE INDEX audit_event_company ON audit_event (company_id, id);
