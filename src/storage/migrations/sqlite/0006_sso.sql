-- Sign-in with Google and Office 365.

-- What a company says about a provider. A company without a row takes the installation's application as it is; one
-- without a client uses the installation's under its own conditions.
CREATE TABLE sso_application (
    company_id BLOB NOT NULL REFERENCES company (id) ON DELETE CASCADE,
    provider TEXT NOT NULL,
    version INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    client_id TEXT,
    sealed_secret BLOB,
    tenants TEXT NOT NULL,
    trusted INTEGER NOT NULL,
    changed_at TEXT NOT NULL,
    PRIMARY KEY (company_id, provider)
) STRICT;

-- Whom an account is to a provider: one identity of each, and in a company no identity twice.
CREATE TABLE sso_identity (
    company_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    provider TEXT NOT NULL,
    identity_key TEXT NOT NULL,
    shown TEXT NOT NULL,
    linked_at TEXT NOT NULL,
    PRIMARY KEY (company_id, account_id, provider),
    CONSTRAINT sso_identity_key UNIQUE (company_id, provider, identity_key),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX sso_identity_provider ON sso_identity (provider, identity_key);

-- A browser that is on its way to a provider and back. No foreign keys: nobody need be known yet.
CREATE TABLE sso_flow (
    id BLOB NOT NULL PRIMARY KEY,
    token_hash BLOB NOT NULL CHECK (length(token_hash) = 32),
    provider TEXT NOT NULL,
    company_id BLOB,
    session_id BLOB,
    pending_id BLOB,
    state_hash BLOB NOT NULL CHECK (length(state_hash) = 32),
    sealed BLOB NOT NULL,
    next TEXT,
    identity_key TEXT,
    shown TEXT,
    answered_at TEXT,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    CONSTRAINT sso_flow_token_hash UNIQUE (token_hash)
) STRICT;
CREATE INDEX sso_flow_pending ON sso_flow (pending_id) WHERE pending_id IS NOT NULL;
CREATE INDEX sso_flow_expires_at ON sso_flow (expires_at);
