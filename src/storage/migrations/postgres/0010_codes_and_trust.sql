-- The token before the last change: good for a moment more, because an answer may be lost.
ALTER TABLE trusted_browser ADD COLUMN previous_hash BYTEA;
CREATE INDEX trusted_browser_previous_hash ON trusted_browser (previous_hash);
