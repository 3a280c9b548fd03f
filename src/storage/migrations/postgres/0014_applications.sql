-- Applications that agents are signed in to, and what they got.

-- An application without a company is the installation's, for all companies. Addresses stand one a line.
CREATE TABLE application (
    id UUID NOT NULL PRIMARY KEY,
    company_id UUID REFERENCES company (id) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    redirect_uris TEXT NOT NULL,
    logout_uris TEXT NOT NULL,
    back_channel_uri TEXT,
    launch_uri TEXT,
    roles TEXT NOT NULL,
    signing TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ
);
CREATE INDEX application_company ON application (company_id, id);

-- Two may be good at once, so that an application can change from one to the other.
CREATE TABLE application_secret (
    id UUID NOT NULL PRIMARY KEY,
    application_id UUID NOT NULL REFERENCES application (id) ON DELETE CASCADE,
    secret_hash BYTEA NOT NULL CHECK (octet_length(secret_hash) = 32),
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ
);
CREATE INDEX application_secret_application ON application_secret (application_id, id);
CREATE INDEX application_secret_expires_at ON application_secret (expires_at) WHERE expires_at IS NOT NULL;

-- What an application got from one sign-in: a code, and then the tokens that come of it. No foreign key to the session:
-- the application is told when it is over. `is_over` is set when the session ends, and by what ends tokens before it.
CREATE TABLE access_grant (
    id UUID NOT NULL PRIMARY KEY,
    company_id UUID NOT NULL,
    application_id UUID NOT NULL REFERENCES application (id) ON DELETE CASCADE,
    account_id UUID NOT NULL,
    subject UUID NOT NULL,
    session_id UUID NOT NULL,
    scopes TEXT NOT NULL,
    nonce TEXT,
    proof TEXT NOT NULL,
    proved_at TIMESTAMPTZ NOT NULL,
    code_hash BYTEA NOT NULL CHECK (octet_length(code_hash) = 32),
    redirect_uri TEXT NOT NULL,
    challenge BYTEA,
    created_at TIMESTAMPTZ NOT NULL,
    code_used_at TIMESTAMPTZ,
    expires_at TIMESTAMPTZ NOT NULL,
    is_over BOOLEAN NOT NULL DEFAULT FALSE,
    notice_due_at TIMESTAMPTZ,
    notice_since TIMESTAMPTZ,
    notice_tries BIGINT NOT NULL DEFAULT 0,
    is_told BOOLEAN NOT NULL DEFAULT FALSE,
    CONSTRAINT access_grant_code_hash UNIQUE (code_hash)
);
CREATE INDEX access_grant_session ON access_grant (session_id, application_id);
CREATE INDEX access_grant_account ON access_grant (company_id, account_id);
CREATE INDEX access_grant_application ON access_grant (application_id);
CREATE INDEX access_grant_expires_at ON access_grant (expires_at);
CREATE INDEX access_grant_untold ON access_grant (notice_due_at) WHERE is_over AND NOT is_told;

-- Each is good once; what was used is kept, so that a copy is known.
CREATE TABLE refresh_token (
    id UUID NOT NULL PRIMARY KEY,
    grant_id UUID NOT NULL REFERENCES access_grant (id) ON DELETE CASCADE,
    token_hash BYTEA NOT NULL CHECK (octet_length(token_hash) = 32),
    created_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ,
    CONSTRAINT refresh_token_hash UNIQUE (token_hash)
);
CREATE INDEX refresh_token_grant ON refresh_token (grant_id);

CREATE TABLE access_token (
    id UUID NOT NULL PRIMARY KEY,
    grant_id UUID NOT NULL REFERENCES access_grant (id) ON DELETE CASCADE,
    token_hash BYTEA NOT NULL CHECK (octet_length(token_hash) = 32),
    scopes TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT access_token_hash UNIQUE (token_hash)
);
CREATE INDEX access_token_grant ON access_token (grant_id);
CREATE INDEX access_token_expires_at ON access_token (expires_at);

-- Keys that tokens are signed with: of each algorithm the one in use, the one that comes next, and those that were used.
CREATE TABLE signing_key (
    id UUID NOT NULL PRIMARY KEY,
    algorithm TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    begins_at TIMESTAMPTZ,
    ends_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX signing_key_next ON signing_key (algorithm) WHERE begins_at IS NULL;
CREATE INDEX signing_key_ends_at ON signing_key (ends_at) WHERE ends_at IS NOT NULL;
CREATE UNIQUE INDEX signing_key_current ON signing_key (algorithm) WHERE begins_at IS NOT NULL AND ends_at IS NULL;
