-- Many things wrong, all said in one go.
-- refuses: location is longer than 255 characters in 2 row(s)
-- refuses: name is NULL in 1 row(s)
-- refuses: serial_number is missing, and 10 row(s) need a value there
-- refuses: 3 row(s) have the id of another row
-- refuses: purchase_date is integer, which is not converted to timestamp with time zone
-- refuses: notes is a generated column
-- refuses: ' ' in 10 row(s)
CREATE TABLE machines (
    id uuid, customer_organization_id uuid, model_type text, name text, status text, location text,
    purchase_date integer, notes text GENERATED ALWAYS AS (name || '!') STORED
);
INSERT INTO machines (id, customer_organization_id, model_type, name, status, location)
SELECT md5((CASE WHEN i <= 4 THEN 0 ELSE i END)::text)::uuid, gen_random_uuid(), 'press',
       CASE WHEN i <> 1 THEN 'machine ' || i END, ' ', repeat(' ', CASE WHEN i <= 2 THEN 256 ELSE 255 END)
  FROM generate_series(1, 10) AS i;
