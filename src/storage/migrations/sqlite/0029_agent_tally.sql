-- How many accounts of a company are how, kept as what every change adds and takes: no change waits for another's row, and the
-- sum is right at every moment. The clean-up makes one row of many. No foreign key: the last rows are written while a company goes.
CREATE TABLE agent_tally (
    company_id BLOB NOT NULL,
    accounts INTEGER NOT NULL,
    active INTEGER NOT NULL,
    locked INTEGER NOT NULL,
    with_factor INTEGER NOT NULL,
    with_email INTEGER NOT NULL,
    with_app INTEGER NOT NULL
) STRICT;
CREATE INDEX agent_tally_company ON agent_tally (company_id);

-- By triggers, so that an older version keeps them too.
CREATE TRIGGER agent_tally_come AFTER INSERT ON account
BEGIN
    INSERT INTO agent_tally (company_id, accounts, active, locked, with_factor, with_email, with_app)
    VALUES (NEW.company_id, 1, NEW.active,
        NEW.locked_at IS NOT NULL OR NEW.wrong_codes >= 5,
        NEW.active AND (NEW.email_factor OR NEW.app_secret IS NOT NULL),
        NEW.active AND NEW.email_factor,
        NEW.active AND NEW.app_secret IS NOT NULL);
END;
CREATE TRIGGER agent_tally_change AFTER UPDATE OF active, locked_at, wrong_codes, email_factor, app_secret ON account
WHEN NEW.active <> OLD.active OR NEW.email_factor <> OLD.email_factor
    OR (NEW.app_secret IS NULL) <> (OLD.app_secret IS NULL)
    OR (NEW.locked_at IS NOT NULL OR NEW.wrong_codes >= 5) <> (OLD.locked_at IS NOT NULL OR OLD.wrong_codes >= 5)
BEGIN
    INSERT INTO agent_tally (company_id, accounts, active, locked, with_factor, with_email, with_app)
    VALUES (NEW.company_id, 0, NEW.active - OLD.active,
        (NEW.locked_at IS NOT NULL OR NEW.wrong_codes >= 5) - (OLD.locked_at IS NOT NULL OR OLD.wrong_codes >= 5),
        (NEW.active AND (NEW.email_factor OR NEW.app_secret IS NOT NULL))
            - (OLD.active AND (OLD.email_factor OR OLD.app_secret IS NOT NULL)),
        (NEW.active AND NEW.email_factor) - (OLD.active AND OLD.email_factor),
        (NEW.active AND NEW.app_secret IS NOT NULL) - (OLD.active AND OLD.app_secret IS NOT NULL));
END;
CREATE TRIGGER agent_tally_go AFTER DELETE ON account
BEGIN
    INSERT INTO agent_tally (company_id, accounts, active, locked, with_factor, with_email, with_app)
    VALUES (OLD.company_id, -1, -OLD.active,
        -(OLD.locked_at IS NOT NULL OR OLD.wrong_codes >= 5),
        -(OLD.active AND (OLD.email_factor OR OLD.app_secret IS NOT NULL)),
        -(OLD.active AND OLD.email_factor),
        -(OLD.active AND OLD.app_secret IS NOT NULL));
END;

INSERT INTO agent_tally (company_id, accounts, active, locked, with_factor, with_email, with_app)
SELECT company_id, COUNT(*), COUNT(CASE WHEN active THEN 1 END),
    COUNT(CASE WHEN locked_at IS NOT NULL OR wrong_codes >= 5 THEN 1 END),
    COUNT(CASE WHEN active AND (email_factor OR app_secret IS NOT NULL) THEN 1 END),
    COUNT(CASE WHEN active AND email_factor THEN 1 END),
    COUNT(CASE WHEN active AND app_secret IS NOT NULL THEN 1 END)
FROM account GROUP BY company_id;
