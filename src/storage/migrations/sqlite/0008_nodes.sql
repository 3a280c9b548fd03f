-- What the database knows of its servers and of their keys, and what the clean-up needs to find its rows.

-- Each server writes its own row every few seconds: while it cannot, nobody could sign in with it.
CREATE TABLE node (
    id BLOB NOT NULL PRIMARY KEY,
    version TEXT NOT NULL,
    started_at TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    clock_offset INTEGER NOT NULL
) STRICT;
CREATE INDEX node_seen_at ON node (seen_at);

-- Fingerprints of the keys that values in here are made with. A server that does not have them must not serve.
CREATE TABLE key_check (
    version INTEGER NOT NULL PRIMARY KEY,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    first_used_at TEXT NOT NULL,
    retired_at TEXT
) STRICT;

CREATE INDEX mail_outbox_sent_at ON mail_outbox (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX mail_outbox_given_up_at ON mail_outbox (given_up_at) WHERE given_up_at IS NOT NULL;
CREATE INDEX reset_request_created_at ON reset_request (created_at);
