-- Every server remembers for some seconds what sessions are worth. Whoever changes that tells the others, however it is
-- changed, as soon as it is final: the kind of what has changed and its identifier, nothing else.

CREATE FUNCTION tell_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('vestibule_changed', TG_ARGV[0] || ' ' || OLD.id);
    RETURN NULL;
END;
$$;
CREATE TRIGGER session_end_told AFTER DELETE ON session FOR EACH ROW EXECUTE FUNCTION tell_change('session');
CREATE TRIGGER session_told AFTER UPDATE ON session FOR EACH ROW
    WHEN (OLD.credential_version <> NEW.credential_version OR OLD.ends_at <> NEW.ends_at)
    EXECUTE FUNCTION tell_change('session');
CREATE TRIGGER account_told AFTER UPDATE ON account FOR EACH ROW
    WHEN (OLD.version <> NEW.version OR OLD.credential_version <> NEW.credential_version OR OLD.active <> NEW.active
        OR OLD.name <> NEW.name OR OLD.email <> NEW.email OR OLD.first_name <> NEW.first_name
        OR OLD.last_name <> NEW.last_name OR OLD.password_must_change <> NEW.password_must_change
        OR OLD.email_factor <> NEW.email_factor OR (OLD.app_secret IS NULL) <> (NEW.app_secret IS NULL))
    EXECUTE FUNCTION tell_change('account');
CREATE TRIGGER company_told AFTER UPDATE ON company FOR EACH ROW
    WHEN (OLD.version <> NEW.version OR OLD.enabled <> NEW.enabled OR OLD.name <> NEW.name)
    EXECUTE FUNCTION tell_change('company');
CREATE TRIGGER application_end_told AFTER DELETE ON application
    FOR EACH ROW EXECUTE FUNCTION tell_change('application');
CREATE TRIGGER application_told AFTER UPDATE ON application FOR EACH ROW
    WHEN (OLD.version <> NEW.version) EXECUTE FUNCTION tell_change('application');
