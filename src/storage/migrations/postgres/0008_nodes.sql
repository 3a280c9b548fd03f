-- What the database knows of its servers and of their keys, and what the clean-up needs to find its rows.

-- Each server writes its own row every few seconds: while it cannot, nobody could sign in with it.
CREATE TABLE node (
    id UUID NOT NULL PRIMARY KEY,
    version TEXT NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    clock_offset BIGINT NOT NULL
);
CREATE INDEX node_seen_at ON node (seen_at);

-- Fingerprints of the keys that values in here are made with. A server that does not have them must not serve.
CREATE TABLE key_check (
    version BIGINT NOT NULL PRIMARY KEY,
    fingerprint BYTEA NOT NULL CHECK (octet_length(fingerprint) = 32),
    first_used_at TIMESTAMPTZ NOT NULL,
    retired_at TIMESTAMPTZ
);

CREATE INDEX mail_outbox_sent_at ON mail_outbox (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX mail_outbox_given_up_at ON mail_outbox (given_up_at) WHERE given_up_at IS NOT NULL;
CREATE INDEX reset_request_created_at ON reset_request (created_at);
