-- Sign-in with Google and Office 365.

-- What a company says about a provider. A company without a row takes the installation's application as it is; one
-- without a client uses the installation's under its own conditions.
CREATE TABLE sso_application (
    company_id UUID NOT NULL REFERENCES company (id) ON DELETE CASCADE,
    provider TEXT NOT NULL,
    version BIGINT NOT NULL,
    enabled BOOLEAN NOT NULL,
    client_id TEXT,
    sealed_secret BYTEA,
    tenants TEXT NOT NULL,
    trusted BOOLEAN NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (company_id, provider)
);

-- Whom an account is to a provider: one identity of each, and in a company no identity twice.
CREATE TABLE sso_identity (
    company_id UUID NOT NULL,
    account_id UUID NOT NULL,
    provider TEXT NOT NULL,
    identity_key TEXT COLLATE "C" NOT NULL,
    shown TEXT NOT NULL,
    linked_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (company_id, account_id, provider),
    CONSTRAINT sso_identity_key UNIQUE (company_id, provider, identity_key),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
);
CREATE INDEX sso_identity_provider ON sso_identity (provider, identity_key);

-- A browser that is on its way to a provider and back. No foreign keys: nobody need be known yet.
CREATE TABLE sso_flow (
    id UUID NOT NULL PRIMARY KEY,
    token_hash BYTEA NOT NULL CHECK (octet_length(token_hash) = 32),
    provider TEXT NOT NULL,
    company_id UUID,
    session_id UUID,
    pending_id UUID,
    state_hash BYTEA NOT NULL CHECK (octet_length(state_hash) = 32),
    sealed BYTEA NOT NULL,
    next TEXT,
    identity_key TEXT COLLATE "C",
    shown TEXT,
    answered_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT sso_flow_token_hash UNIQUE (token_hash)
);
CREATE INDEX sso_flow_pending ON sso_flow (pending_id) WHERE pending_id IS NOT NULL;
CREATE INDEX sso_flow_expires_at ON sso_flow (expires_at);
