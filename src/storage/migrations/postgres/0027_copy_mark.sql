-- A copy of another database that is not whole yet: nobody serves it until it is, and the row is gone.

CREATE TABLE copy_mark (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    -- Of the oldest key of the database that is copied, by which it is known again.
    fingerprint BYTEA NOT NULL,
    begun_at TIMESTAMPTZ NOT NULL
);
