-- Events go only when they are older than the operator wants to keep them.

DROP TRIGGER audit_event_no_update;
CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only ever added to');
END;
DROP TRIGGER audit_event_no_delete;
CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event
WHEN NOT EXISTS (SELECT 1 FROM audit_kept WHERE OLD.id < from_id)
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only ever added to');
END;
