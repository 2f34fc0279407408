-- (f) Times without time zone, in a database whose own time zone is not UTC.
-- rewrites: no
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''America/New_York''', current_database()); END $$;
SET timezone = 'America/New_York';
CREATE TABLE machines (
    id                       uuid      NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    customer_organization_id uuid      NOT NULL,
    model_type               text      NOT NULL,
    name                     text      NOT NULL,
    serial_number            text      NOT NULL,
    purchase_date            timestamp DEFAULT now(),
    warranty_expiry_date     timestamp,
    last_maintenance_date    timestamp,
    next_maintenance_date    timestamp NOT NULL,
    created_at               timestamp NOT NULL DEFAULT now(),
    updated_at               timestamp NOT NULL DEFAULT now()
);

INSERT INTO machines
SELECT md5(i::text)::uuid, md5((i % 500)::text)::uuid, 'press ' || i % 7, 'machine ' || i, 'SN-' || i,
       '2019-01-01 00:00:00.000001'::timestamp + i * interval '7 minutes', NULL, '2024-03-31 01:30', '2999-12-31 23:59:59.999999',
       '2020-01-01 00:00'::timestamp + i * interval '20 minutes', '2021-01-01 00:00'::timestamp + i * interval '1 minute'
  FROM generate_series(1, 100000) AS i;
