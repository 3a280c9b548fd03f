-- Companies, accounts, and everything a sign-in needs.
-- Every number is BIGINT, so that both databases answer with the same type.

CREATE TABLE company (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL,
    language TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    skip_second_factor_days BIGINT NOT NULL,
    require_second_factor TEXT NOT NULL DEFAULT 'off',
    password_min_length BIGINT NOT NULL DEFAULT 12,
    idle_minutes BIGINT,
    new_agent_mail TEXT NOT NULL DEFAULT 'account_details',
    trust_provider BOOLEAN NOT NULL DEFAULT FALSE,
    created_at TIMESTAMPTZ NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT company_name_key UNIQUE (name_key)
);

CREATE TABLE account (
    company_id UUID NOT NULL REFERENCES company (id) ON DELETE CASCADE,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT COLLATE "C" NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    alias TEXT NOT NULL,
    phone TEXT NOT NULL DEFAULT '',
    title TEXT NOT NULL DEFAULT '',
    language TEXT,
    hour_clock BIGINT NOT NULL DEFAULT 24 CHECK (hour_clock IN (12, 24)),
    active BOOLEAN NOT NULL,
    locked_at TIMESTAMPTZ,
    lock_reason TEXT,
    wrong_codes BIGINT NOT NULL DEFAULT 0 CHECK (wrong_codes >= 0),
    password_hash TEXT,
    password_must_change BOOLEAN NOT NULL DEFAULT FALSE,
    password_expires_at TIMESTAMPTZ,
    email_factor BOOLEAN NOT NULL,
    credential_version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMPTZ NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    last_sign_in_at TIMESTAMPTZ,
    PRIMARY KEY (company_id, id),
    CONSTRAINT account_id UNIQUE (id),
    CONSTRAINT account_name_key UNIQUE (company_id, name_key),
    CONSTRAINT account_email_key UNIQUE (company_id, email_key)
);

CREATE TABLE account_role (
    company_id UUID NOT NULL,
    account_id UUID NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('agent', 'supervisor', 'admin')),
    PRIMARY KEY (company_id, account_id, role),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
);

CREATE TABLE session (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    token_hash BYTEA NOT NULL CHECK (octet_length(token_hash) = 32),
    created_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL,
    proof TEXT NOT NULL,
    proved_at TIMESTAMPTZ NOT NULL,
    address TEXT,
    browser TEXT,
    credential_version BIGINT NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT session_token_hash UNIQUE (token_hash),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
);
CREATE INDEX session_account ON session (company_id, account_id);
CREATE INDEX session_ends_at ON session (ends_at);

CREATE TABLE pending_sign_in (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    token_hash BYTEA NOT NULL CHECK (octet_length(token_hash) = 32),
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    mailed_at TIMESTAMPTZ,
    resends BIGINT NOT NULL DEFAULT 0,
    credential_version BIGINT NOT NULL,
    next TEXT,
    address TEXT,
    browser TEXT,
    completed_at TIMESTAMPTZ,
    session_id UUID,
    PRIMARY KEY (company_id, id),
    CONSTRAINT pending_sign_in_token_hash UNIQUE (token_hash),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
);
CREATE INDEX pending_sign_in_account ON pending_sign_in (company_id, account_id);
CREATE INDEX pending_sign_in_expires_at ON pending_sign_in (expires_at);

CREATE TABLE one_time_code (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    pending_id UUID,
    purpose TEXT NOT NULL,
    code_hash BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    replaced_at TIMESTAMPTZ,
    used_at TIMESTAMPTZ,
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, pending_id) REFERENCES pending_sign_in (company_id, id) ON DELETE CASCADE
);
CREATE INDEX one_time_code_account ON one_time_code (company_id, account_id);
CREATE INDEX one_time_code_pending ON one_time_code (company_id, pending_id);
CREATE INDEX one_time_code_created_at ON one_time_code (created_at);

-- Wrong passwords: per subject (an account, or what was typed) and lane (a known browser, or everybody else).
CREATE TABLE password_try (
    subject BYTEA NOT NULL,
    lane BYTEA NOT NULL,
    failures BIGINT NOT NULL,
    blocked_until TIMESTAMPTZ,
    changed_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (subject, lane)
);
CREATE INDEX password_try_changed_at ON password_try (changed_at);

-- Wrong passwords per source, in fixed windows.
CREATE TABLE source_try (
    source TEXT NOT NULL,
    span TEXT NOT NULL CHECK (span IN ('minute', 'hour')),
    starts_at TIMESTAMPTZ NOT NULL,
    tries BIGINT NOT NULL,
    PRIMARY KEY (source, span, starts_at)
);
CREATE INDEX source_try_starts_at ON source_try (starts_at);

CREATE TABLE source_account (
    source TEXT NOT NULL,
    starts_at TIMESTAMPTZ NOT NULL,
    subject BYTEA NOT NULL,
    PRIMARY KEY (source, starts_at, subject)
);
CREATE INDEX source_account_starts_at ON source_account (starts_at);

CREATE TABLE trusted_browser (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    token_hash BYTEA NOT NULL CHECK (octet_length(token_hash) = 32),
    created_at TIMESTAMPTZ NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ NOT NULL,
    credential_version BIGINT NOT NULL,
    address TEXT,
    browser TEXT,
    PRIMARY KEY (company_id, id),
    CONSTRAINT trusted_browser_token_hash UNIQUE (token_hash),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
);
CREATE INDEX trusted_browser_account ON trusted_browser (company_id, account_id);
CREATE INDEX trusted_browser_ends_at ON trusted_browser (ends_at);

CREATE TABLE known_browser (
    company_id UUID NOT NULL,
    account_id UUID NOT NULL,
    browser_hash BYTEA NOT NULL CHECK (octet_length(browser_hash) = 32),
    first_at TIMESTAMPTZ NOT NULL,
    last_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (company_id, account_id, browser_hash),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
);
CREATE INDEX known_browser_last_at ON known_browser (last_at);

-- What a mail says is encrypted, and wiped as soon as the mail is sent or given up.
CREATE TABLE mail_outbox (
    id UUID NOT NULL PRIMARY KEY,
    company_id UUID NOT NULL,
    account_id UUID NOT NULL,
    kind TEXT NOT NULL,
    receiver TEXT NOT NULL,
    language TEXT NOT NULL,
    sealed BYTEA,
    priority BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ,
    tries BIGINT NOT NULL DEFAULT 0,
    claimed_until TIMESTAMPTZ,
    sent_at TIMESTAMPTZ,
    given_up_at TIMESTAMPTZ,
    problem TEXT,
    pending_id UUID,
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
);
CREATE INDEX mail_outbox_waiting ON mail_outbox (priority, due_at) WHERE sent_at IS NULL AND given_up_at IS NULL;
CREATE INDEX mail_outbox_account ON mail_outbox (company_id, account_id, created_at);
CREATE INDEX mail_outbox_pending ON mail_outbox (company_id, pending_id);

-- No foreign keys: events outlive what they tell about.
CREATE TABLE audit_event (
    id UUID NOT NULL PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL,
    company_id UUID,
    actor TEXT NOT NULL,
    actor_id UUID,
    target_id UUID,
    event TEXT NOT NULL,
    address TEXT,
    browser TEXT,
    request TEXT,
    detail TEXT
);
CREATE INDEX audit_event_company ON audit_event (company_id, id);
