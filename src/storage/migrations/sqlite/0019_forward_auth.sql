-- Where agents go after a sign-in: an application, or the Agent Panel.
ALTER TABLE company ADD COLUMN after_sign_in BLOB REFERENCES application (id) ON DELETE SET NULL;

-- Sessions at applications behind a proxy: a ticket at first, then a cookie of the application's host.
CREATE TABLE application_session (
    id BLOB NOT NULL PRIMARY KEY,
    company_id BLOB NOT NULL,
    session_id BLOB NOT NULL,
    application_id BLOB NOT NULL REFERENCES application (id) ON DELETE CASCADE,
    ticket_hash BLOB NOT NULL CHECK (length(ticket_hash) = 32),
    state_hash BLOB NOT NULL CHECK (length(state_hash) = 32),
    token_hash BLOB CHECK (length(token_hash) = 32),
    created_at TEXT NOT NULL,
    expires_at TEXT,
    CONSTRAINT application_session_ticket_hash UNIQUE (ticket_hash),
    CONSTRAINT application_session_token_hash UNIQUE (token_hash),
    FOREIGN KEY (company_id, session_id) REFERENCES session (company_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX application_session_session ON application_session (company_id, session_id);
CREATE INDEX application_session_application ON application_session (application_id);
CREATE INDEX application_session_expires_at ON application_session (expires_at) WHERE expires_at IS NOT NULL;
