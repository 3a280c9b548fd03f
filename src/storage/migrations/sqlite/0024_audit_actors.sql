-- The audit log by who did what: each pair is found in its order, however much else there is.
CREATE INDEX audit_event_doing ON audit_event (company_id, actor, event, id);
