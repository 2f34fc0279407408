-- (f) Dates without a time, in a database whose own time zone is not UTC.
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''America/New_York''', current_database()); END $$;
SET timezone = 'America/New_York';
CREATE TABLE machines (
    id                       uuid      NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    customer_organization_id uuid      NOT NULL,
    model_type               text      NOT NULL,
    name                     text      NOT NULL,
    serial_number            text      NOT NULL,
    purchase_date            date DEFAULT CURRENT_DATE,
    warranty_expiry_date     date,
    last_maintenance_date    date,
    next_maintenance_date    date NOT NULL,
    created_at               date NOT NULL DEFAULT CURRENT_DATE,
    updated_at               date NOT NULL DEFAULT CURRENT_DATE
);

INSERT INTO machines
SELECT md5(i::text)::uuid, md5((i % 500)::text)::uuid, 'press ' || i % 7, 'machine ' || i, 'SN-' || i,
       '2019-01-01'::date + i % 4000, NULL, '2024-03-31', '2999-12-31', '2020-01-01'::date + i % 1000, '2021-01-01'::date + i % 1000
  FROM generate_series(1, 100000) AS i;
