-- The Admin console: lists that stay fast, changes that do not overwrite each other, links of mails, import of accounts.

ALTER TABLE company ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE account ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE account ADD COLUMN alias_key TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN pending_email TEXT;
ALTER TABLE account ADD COLUMN pending_email_at TEXT;
CREATE INDEX account_alias ON account (company_id, alias_key, id);
CREATE INDEX account_locked ON account (company_id, id) WHERE locked_at IS NOT NULL;
CREATE INDEX account_inactive ON account (company_id, id) WHERE NOT active;
CREATE INDEX account_app ON account (company_id, id) WHERE app_secret IS NOT NULL;
CREATE INDEX account_email_factor ON account (company_id, id) WHERE email_factor;
CREATE INDEX account_no_factor ON account (company_id, id) WHERE app_secret IS NULL AND NOT email_factor;
CREATE INDEX account_role_role ON account_role (company_id, role, account_id);

-- The words under which an account is found, by their beginnings.
CREATE TABLE account_word (
    company_id BLOB NOT NULL,
    word TEXT NOT NULL,
    account_id BLOB NOT NULL,
    PRIMARY KEY (company_id, word, account_id),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX account_word_account ON account_word (company_id, account_id, word);

-- Of each purpose an account has one link, the newest.
CREATE TABLE account_link (
    company_id BLOB NOT NULL,
    id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    purpose TEXT NOT NULL,
    token_hash BLOB NOT NULL CHECK (length(token_hash) = 32),
    email TEXT,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT account_link_token_hash UNIQUE (token_hash),
    CONSTRAINT account_link_purpose UNIQUE (company_id, account_id, purpose),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX account_link_expires_at ON account_link (expires_at);

-- A file of accounts, checked line by line and then imported.
CREATE TABLE agent_import (
    company_id BLOB NOT NULL REFERENCES company (id) ON DELETE CASCADE,
    id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    state TEXT NOT NULL,
    touched_at TEXT NOT NULL,
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, account_id) REFERENCES account (company_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX agent_import_expires_at ON agent_import (expires_at);
CREATE INDEX agent_import_account ON agent_import (company_id, account_id);

CREATE TABLE agent_import_line (
    company_id BLOB NOT NULL,
    import_id BLOB NOT NULL,
    line INTEGER NOT NULL,
    account TEXT NOT NULL,
    fields TEXT,
    verdict TEXT NOT NULL,
    PRIMARY KEY (company_id, import_id, line),
    FOREIGN KEY (company_id, import_id) REFERENCES agent_import (company_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX agent_import_line_verdict ON agent_import_line (company_id, import_id, verdict, line);

-- Names as they were when it happened: they outlive their accounts.
ALTER TABLE audit_event ADD COLUMN actor_name TEXT;
ALTER TABLE audit_event ADD COLUMN target_name TEXT;
CREATE INDEX audit_event_event ON audit_event (company_id, event, id);
CREATE INDEX audit_event_target ON audit_event (company_id, target_id, id);
CREATE INDEX audit_event_actor ON audit_event (company_id, actor_id, id);
