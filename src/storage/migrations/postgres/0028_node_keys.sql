-- Where a server runs, and which key is its newest.
ALTER TABLE node ADD COLUMN host TEXT;
ALTER TABLE node ADD COLUMN key_version BIGINT;
ALTER TABLE node ADD COLUMN key_fingerprint BYTEA;
