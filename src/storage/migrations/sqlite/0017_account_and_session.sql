-- What has to hold whoever writes: an account has a public number, and however a session ends, what applications got from it
-- ends with it.

UPDATE account SET public_id = randomblob(16);
CREATE TRIGGER account_draws_public_id AFTER INSERT ON account
WHEN NEW.public_id IS NULL
BEGIN
    UPDATE account SET public_id = randomblob(16) WHERE company_id = NEW.company_id AND id = NEW.id;
END;
CREATE TRIGGER session_ends_grants AFTER DELETE ON session
BEGIN
    UPDATE access_grant SET is_over = TRUE WHERE session_id = OLD.id AND NOT is_over;
END;
