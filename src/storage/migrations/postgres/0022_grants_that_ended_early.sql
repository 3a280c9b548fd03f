-- However a session ends, what ended before it is told too.

CREATE OR REPLACE FUNCTION end_grants_of_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE access_grant SET is_over = TRUE, ended_early = FALSE, notice_due_at = NULL
    WHERE session_id = OLD.id AND (NOT is_over OR ended_early);
    RETURN NULL;
END;
$$;
DROP TRIGGER session_ends_grants ON session;
CREATE TRIGGER session_ends_grants AFTER DELETE ON session FOR EACH ROW EXECUTE FUNCTION end_grants_of_session();
