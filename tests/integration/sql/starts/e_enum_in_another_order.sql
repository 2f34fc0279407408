-- (e) The labels in another order; another table uses the type too, with a default; some rows have no status.
-- leaves: repairs
CREATE TYPE machinestatus AS ENUM ('maintenance', 'active', 'decommissioned', 'inactive');
CREATE TABLE machines (
    id                       uuid          NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    customer_organization_id uuid          NOT NULL,
    model_type               text          NOT NULL,
    name                     text          NOT NULL,
    serial_number            text          NOT NULL,
    created_at               timestamptz   NOT NULL DEFAULT now(),
    updated_at               timestamptz   NOT NULL DEFAULT now(),
    status                   machinestatus
);
ALTER TABLE machines ALTER COLUMN status SET DEFAULT 'inactive';
CREATE INDEX ON machines (status);
DROP INDEX machines_status_idx;
CREATE TABLE repairs (machine_name text NOT NULL, before machinestatus NOT NULL DEFAULT 'maintenance');
INSERT INTO repairs SELECT 'machine ' || i, (enum_range(NULL::machinestatus))[1 + i % 4] FROM generate_series(1, 100) AS i;

INSERT INTO machines
SELECT md5(i::text)::uuid, md5((i % 500)::text)::uuid, 'press ' || i % 7, 'machine ' || i, 'SN-' || i,
       '2020-01-01 00:00+00'::timestamptz + i * interval '20 minutes',
       '2021-01-01 00:00+00'::timestamptz + i * interval '20 minutes',
       (enum_range(NULL::machinestatus))[i % 5]
  FROM generate_series(1, 100000) AS i;
