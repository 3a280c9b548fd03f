-- What belongs to what: a try to its count, a token of trust to its browser.

-- Goes up whenever the counter of wrong codes begins anew: a try that is taken back later leaves the new count alone.
ALTER TABLE account ADD COLUMN code_round BIGINT NOT NULL DEFAULT 0;

-- Drawn when a count of wrong passwords begins, for the same reason.
ALTER TABLE password_try ADD COLUMN series BIGINT NOT NULL DEFAULT 0;

-- The number of the browser that the token was given to: the next one is given to no other.
ALTER TABLE trusted_browser ADD COLUMN browser_hash BYTEA;
