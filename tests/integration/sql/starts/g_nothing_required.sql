-- (g) No key, no default, everything may be NULL, times without zone, some serial numbers twice; a trigger
-- of the application's own keeps updated_at, and must not fire when the NULLs are filled.
-- leaves: touch
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''Asia/Tokyo''', current_database()); END $$;
SET timezone = 'Asia/Tokyo';
CREATE TYPE machinestatus AS ENUM ('active', 'inactive', 'maintenance', 'decommissioned');
CREATE TABLE machines (
    notes                    text COLLATE "C",
    location                 text DEFAULT 'nowhere',
    updated_at               timestamp,
    created_at               timestamptz(3),
    status                   machinestatus,
    serial_number            varchar(80) COLLATE "C",
    name                     char(20),
    model_type               text COLLATE "C",
    customer_organization_id uuid,
    id                       uuid
);

INSERT INTO machines
SELECT 'note ' || i, CASE WHEN i % 5 > 0 THEN repeat('ü', 255) END,
       CASE WHEN i % 4 <> 1 THEN '2021-01-01 00:00'::timestamp + i * interval '20 minutes' END,
       CASE WHEN i % 6 <> 1 THEN '2020-01-01 00:00+00'::timestamptz + i * interval '20 minutes' END,
       (enum_range(NULL::machinestatus))[i % 5],
       'SN-' || i / 2, 'machine ' || i, 'press ' || i % 7, md5((i % 500)::text)::uuid,
       CASE WHEN i % 10 > 0 THEN md5(i::text)::uuid END
  FROM generate_series(1, 100000) AS i;

CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON machines FOR EACH ROW EXECUTE FUNCTION touch();
