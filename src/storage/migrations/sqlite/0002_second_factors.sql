-- Authenticator apps, backup codes, step-up, and set-ups that are under way.

-- The secret of the app is encrypted. The last step whose code was accepted, and the last one that a clock hint gave
-- away, are both of no use any more.
ALTER TABLE account ADD COLUMN app_secret BLOB;
ALTER TABLE account ADD COLUMN app_step INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN app_hinted_step INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN backup_salt BLOB;
ALTER TABLE account ADD COLUMN backup_made_at TEXT;

ALTER TABLE pending_sign_in ADD COLUMN purpose TEXT NOT NULL DEFAULT 'sign_in' CHECK (purpose IN ('sign_in', 'step_up'));
ALTER TABLE pending_sign_in ADD COLUMN for_session BLOB;
ALTER TABLE pending_sign_in ADD COLUMN method TEXT NOT NULL DEFAULT 'email' CHECK (method IN ('email', 'app'));
ALTER TABLE pending_sign_in ADD COLUMN completed_with BLOB;

-- One set per account, hashed with the account's salt of backup codes.
CREATE TABLE backup_code (
    company_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    code_hash BLOB NOT NULL CHECK (length(code_hash) = 32),
    used_at TEXT,
    PRIMARY KEY (company_id, account_id, position),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
) STRICT;

-- The backup code that an administrator issued: one per account, the newest.
CREATE TABLE issued_code (
    company_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    salt BLOB NOT NULL,
    code_hash BLOB NOT NULL CHECK (length(code_hash) = 32),
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at TEXT,
    PRIMARY KEY (company_id, account_id),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX issued_code_expires_at ON issued_code (expires_at);

-- A second factor that is being set up; an app's secret stays here, encrypted, until its first code was right.
CREATE TABLE factor_set_up (
    company_id BLOB NOT NULL,
    id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    session_id BLOB NOT NULL,
    method TEXT NOT NULL CHECK (method IN ('email', 'app')),
    sealed BLOB,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    mailed_at TEXT,
    resends INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (company_id, id),
    CONSTRAINT factor_set_up_method UNIQUE (company_id, account_id, method),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX factor_set_up_expires_at ON factor_set_up (expires_at);

CREATE TABLE set_up_code (
    company_id BLOB NOT NULL,
    id BLOB NOT NULL,
    set_up_id BLOB NOT NULL,
    code_hash BLOB NOT NULL,
    created_at TEXT NOT NULL,
    replaced_at TEXT,
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, set_up_id) REFERENCES factor_set_up (company_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX set_up_code_set_up ON set_up_code (company_id, set_up_id);
