-- By what applications know an account: random, so that it says nothing. A server of the version before writes accounts
-- without it: the database draws it then.
ALTER TABLE account ADD COLUMN public_id BLOB;
UPDATE account SET public_id = randomblob(16);
CREATE UNIQUE INDEX account_public_id ON account (public_id);
CREATE TRIGGER account_public_id AFTER INSERT ON account
WHEN NEW.public_id IS NULL
BEGIN
    UPDATE account SET public_id = randomblob(16) WHERE company_id = NEW.company_id AND id = NEW.id;
END;
