-- machines is a view.
-- refuses: it is not an ordinary table
CREATE TABLE devices (id uuid, name text);
INSERT INTO devices VALUES (gen_random_uuid(), 'machine 1');
CREATE VIEW machines AS SELECT * FROM devices;
