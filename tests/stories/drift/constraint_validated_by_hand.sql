-- Constraints were validated by hand: the database guarantees more than the files define.
-- expect: schema_mismatch constraint:public.things.things_size
-- expect: schema_mismatch constraint:public.things.things_owner
-- repair: no, a validation cannot be undone
-- given:
CREATE TABLE owners (id bigint PRIMARY KEY);
CREATE TABLE things (size integer, owner bigint);
ALTER TABLE things ADD CONSTRAINT things_size CHECK (size > 0) NOT VALID;
ALTER TABLE things ADD CONSTRAINT things_owner FOREIGN KEY (owner) REFERENCES owners NOT VALID;
-- drift:
ALTER TABLE things VALIDATE CONSTRAINT things_size;
ALTER TABLE things VALIDATE CONSTRAINT things_owner;
