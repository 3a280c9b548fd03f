-- Many people at once: what a network address has earned and lost, offices, and the line before the door.
-- The table source_account is written no more. It stays for one version: nodes of the version before still write into it
-- while they are replaced.

-- Passwords that were compared and found wrong, per source. A row each, so that nobody waits for somebody else's.
CREATE TABLE source_wrong (
    source TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    subject BYTEA NOT NULL CHECK (octet_length(subject) = 32),
    PRIMARY KEY (source, at, subject)
);
CREATE INDEX source_wrong_at ON source_wrong (at);

-- Accounts whose password was right at a source.
CREATE TABLE source_right (
    source TEXT NOT NULL,
    subject BYTEA NOT NULL CHECK (octet_length(subject) = 32),
    seen_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (source, subject)
);
CREATE INDEX source_right_seen_at ON source_right (seen_at);

-- Ranges of addresses that a company calls its offices.
CREATE TABLE company_office (
    company_id UUID NOT NULL REFERENCES company (id) ON DELETE CASCADE,
    network TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (company_id, network)
);

-- How far the line before each node's hashing threads has come: whoever has place n is number n - front.
CREATE TABLE sign_in_line (
    node UUID NOT NULL,
    lane TEXT NOT NULL,
    front BIGINT NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (node, lane)
);
CREATE INDEX sign_in_line_seen_at ON sign_in_line (seen_at);

-- Whoever waits in a line, and the sealed answer once there is one. No foreign keys: nobody need be known yet.
CREATE TABLE sign_in_ticket (
    token_hash BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    node UUID NOT NULL,
    lane TEXT NOT NULL,
    place BIGINT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    answer BYTEA
);
CREATE INDEX sign_in_ticket_expires_at ON sign_in_ticket (expires_at);
