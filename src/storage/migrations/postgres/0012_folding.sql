-- Keys of names and words of searches are folded by rules that SQL does not know. Which version of these rules everything
-- in here was made by: where it is none or an older one, the next start makes them anew.
CREATE TABLE folding (
    part TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
);
