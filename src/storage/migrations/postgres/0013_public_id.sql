-- By what applications know an account: random, so that it says nothing. A server of the version before writes accounts
-- without it, and has written some: migration 17 draws theirs.
ALTER TABLE account ADD COLUMN public_id UUID;
CREATE UNIQUE INDEX account_public_id ON account (public_id);
