-- However a session ends, what ended before it is told too.

DROP TRIGGER session_ends_grants;
CREATE TRIGGER session_ends_grants AFTER DELETE ON session
BEGIN
    UPDATE access_grant SET is_over = TRUE, ended_early = FALSE, notice_due_at = NULL
    WHERE session_id = OLD.id AND (NOT is_over OR ended_early);
END;
