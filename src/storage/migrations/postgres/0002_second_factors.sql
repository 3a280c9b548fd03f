-- Authenticator apps, backup codes, step-up, and set-ups that are under way.

-- The secret of the app is encrypted. The last step whose code was accepted, and the last one that a clock hint gave
-- away, are both of no use any more.
ALTER TABLE account ADD COLUMN app_secret BYTEA;
ALTER TABLE account ADD COLUMN app_step BIGINT NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN app_hinted_step BIGINT NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN backup_salt BYTEA;
ALTER TABLE account ADD COLUMN backup_made_at TIMESTAMPTZ;

ALTER TABLE pending_sign_in ADD COLUMN purpose TEXT NOT NULL DEFAULT 'sign_in' CHECK (purpose IN ('sign_in', 'step_up'));
ALTER TABLE pending_sign_in ADD COLUMN for_session UUID;
ALTER TABLE pending_sign_in ADD COLUMN method TEXT NOT NULL DEFAULT 'email' CHECK (method IN ('email', 'app'));
ALTER TABLE pending_sign_in ADD COLUMN completed_with BYTEA;

-- One set per account, hashed with the account's salt of backup codes.
CREATE TABLE backup_code (
    company_id UUID NOT NULL,
    account_id UUID NOT NULL,
    position BIGINT NOT NULL,
    code_hash BYTEA NOT NULL CHECK (octet_length(code_hash) = 32),
    used_at TIMESTAMPTZ,
    PRIMARY KEY (company_id, account_id, position),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
);

-- The backup code that an administrator issued: one per account, the newest.
CREATE TABLE issued_code (
    company_id UUID NOT NULL,
    account_id UUID NOT NULL,
    salt BYTEA NOT NULL,
    code_hash BYTEA NOT NULL CHECK (octet_length(code_hash) = 32),
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ,
    PRIMARY KEY (company_id, account_id),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
);
CREATE INDEX issued_code_expires_at ON issued_code (expires_at);

-- A second factor that is being set up; an app's secret stays here, encrypted, until its first code was right.
CREATE TABLE factor_set_up (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    session_id UUID NOT NULL,
    method TEXT NOT NULL CHECK (method IN ('email', 'app')),
    sealed BYTEA,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    mailed_at TIMESTAMPTZ,
    resends BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (company_id, id),
    CONSTRAINT factor_set_up_method UNIQUE (company_id, account_id, method),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
);
CREATE INDEX factor_set_up_expires_at ON factor_set_up (expires_at);

CREATE TABLE set_up_code (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    set_up_id UUID NOT NULL,
    code_hash BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    replaced_at TIMESTAMPTZ,
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, set_up_id) REFERENCES factor_set_up (company_id, id) ON DELETE CASCADE
);
CREATE INDEX set_up_code_set_up ON set_up_code (company_id, set_up_id);
