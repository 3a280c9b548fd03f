-- How many accounts of a company are how, kept as what every change adds and takes: no change waits for another's row, and the
-- sum is right at every moment. The clean-up makes one row of many. No foreign key: the last rows are written while a company goes.
CREATE TABLE agent_tally (
    company_id UUID NOT NULL,
    accounts BIGINT NOT NULL,
    active BIGINT NOT NULL,
    locked BIGINT NOT NULL,
    with_factor BIGINT NOT NULL,
    with_email BIGINT NOT NULL,
    with_app BIGINT NOT NULL
);
CREATE INDEX agent_tally_company ON agent_tally (company_id);

-- By triggers, so that an older version keeps them too. They come before the count: nobody changes an account from here on
-- until both are there.
CREATE FUNCTION agent_tally_note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- What was there, and what is.
    was INTEGER := CASE WHEN TG_OP = 'INSERT' THEN 0 ELSE 1 END;
    is_there INTEGER := CASE WHEN TG_OP = 'DELETE' THEN 0 ELSE 1 END;
    old_row account%ROWTYPE;
    new_row account%ROWTYPE;
BEGIN
    IF was = 1 THEN old_row := OLD; END IF;
    IF is_there = 1 THEN new_row := NEW; END IF;
    INSERT INTO agent_tally (company_id, accounts, active, locked, with_factor, with_email, with_app)
    VALUES (
        COALESCE(new_row.company_id, old_row.company_id),
        is_there - was,
        COALESCE(CAST(new_row.active AS INTEGER), 0) - COALESCE(CAST(old_row.active AS INTEGER), 0),
        is_there * CAST(new_row.locked_at IS NOT NULL OR COALESCE(new_row.wrong_codes, 0) >= 5 AS INTEGER)
            - was * CAST(old_row.locked_at IS NOT NULL OR COALESCE(old_row.wrong_codes, 0) >= 5 AS INTEGER),
        COALESCE(CAST(new_row.active AND (new_row.email_factor OR new_row.app_secret IS NOT NULL) AS INTEGER), 0)
            - COALESCE(CAST(old_row.active AND (old_row.email_factor OR old_row.app_secret IS NOT NULL) AS INTEGER), 0),
        COALESCE(CAST(new_row.active AND new_row.email_factor AS INTEGER), 0)
            - COALESCE(CAST(old_row.active AND old_row.email_factor AS INTEGER), 0),
        COALESCE(CAST(new_row.active AND new_row.app_secret IS NOT NULL AS INTEGER), 0)
            - COALESCE(CAST(old_row.active AND old_row.app_secret IS NOT NULL AS INTEGER), 0)
    );
    RETURN NULL;
END;
$$;
CREATE TRIGGER agent_tally_come AFTER INSERT ON account
    FOR EACH ROW EXECUTE FUNCTION agent_tally_note();
CREATE TRIGGER agent_tally_change AFTER UPDATE OF active, locked_at, wrong_codes, email_factor, app_secret ON account
    FOR EACH ROW WHEN (NEW.active <> OLD.active OR NEW.email_factor <> OLD.email_factor
        OR (NEW.app_secret IS NULL) <> (OLD.app_secret IS NULL)
        OR (NEW.locked_at IS NOT NULL OR NEW.wrong_codes >= 5) <> (OLD.locked_at IS NOT NULL OR OLD.wrong_codes >= 5))
    EXECUTE FUNCTION agent_tally_note();
CREATE TRIGGER agent_tally_go AFTER DELETE ON account
    FOR EACH ROW EXECUTE FUNCTION agent_tally_note();

INSERT INTO agent_tally (company_id, accounts, active, locked, with_factor, with_email, with_app)
SELECT company_id, COUNT(*), COUNT(CASE WHEN active THEN 1 END),
    COUNT(CASE WHEN locked_at IS NOT NULL OR wrong_codes >= 5 THEN 1 END),
    COUNT(CASE WHEN active AND (email_factor OR app_secret IS NOT NULL) THEN 1 END),
    COUNT(CASE WHEN active AND email_factor THEN 1 END),
    COUNT(CASE WHEN active AND app_secret IS NOT NULL THEN 1 END)
FROM account GROUP BY company_id;
