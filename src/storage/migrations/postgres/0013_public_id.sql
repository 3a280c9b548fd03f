-- By what applications know an account: random, so that it says nothing. A server of the version before writes accounts
-- without it: the database draws it then.
ALTER TABLE account ADD COLUMN public_id UUID NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE account ADD CONSTRAINT account_public_id UNIQUE (public_id);
