-- The audit log is only ever added to; what is older than the operator wants to keep goes as a whole, the oldest first.

CREATE TABLE audit_kept (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    -- Events before this one may go.
    from_id UUID NOT NULL
);
