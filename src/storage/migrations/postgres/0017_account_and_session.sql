-- What has to hold whoever writes: an account has a public number, and however a session ends, what applications got from it
-- ends with it.

UPDATE account SET public_id = gen_random_uuid();
CREATE FUNCTION draw_public_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.public_id = COALESCE(NEW.public_id, gen_random_uuid());
    RETURN NEW;
END;
$$;
CREATE TRIGGER account_draws_public_id BEFORE INSERT ON account FOR EACH ROW EXECUTE FUNCTION draw_public_id();
CREATE FUNCTION end_grants_of_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE access_grant SET is_over = TRUE WHERE session_id = OLD.id AND NOT is_over;
    RETURN NULL;
END;
$$;
CREATE TRIGGER session_ends_grants AFTER DELETE ON session FOR EACH ROW EXECUTE FUNCTION end_grants_of_session();
