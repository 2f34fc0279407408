-- (c) status is an enum of another name, in another schema; it stays there, nobody uses it.
-- leaves: legacy
CREATE SCHEMA legacy;
CREATE TYPE legacy.machine_status AS ENUM ('Decommissioned', 'Maintenance', 'Inactive', 'Active');
CREATE TABLE machines (
    id                       uuid        NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    customer_organization_id uuid        NOT NULL,
    model_type               text        NOT NULL,
    name                     text        NOT NULL,
    serial_number            text        NOT NULL,
    created_at               timestamptz NOT NULL DEFAULT now(),
    updated_at               timestamptz NOT NULL DEFAULT now(),
    status                   legacy.machine_status NOT NULL DEFAULT 'Active'
);

INSERT INTO machines
SELECT md5(i::text)::uuid, md5((i % 500)::text)::uuid, 'press ' || i % 7, 'machine ' || i, 'SN-' || i,
       '2020-01-01 00:00+00'::timestamptz + i * interval '20 minutes',
       '2021-01-01 00:00+00'::timestamptz + i * interval '20 minutes',
       (enum_range(NULL::legacy.machine_status))[1 + i % 4]
  FROM generate_series(1, 100000) AS i;
