-- A label that is no status, and rows that have it; another table has it too.
-- refuses: machines.status has no such status: 'BROKEN' in 4 row(s)
-- refuses: repairs.before has no such status: 'BROKEN' in 1 row(s)
CREATE TYPE machinestatus AS ENUM ('ACTIVE', 'BROKEN', 'INACTIVE');
CREATE TABLE machines (
    id                       uuid        NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    customer_organization_id uuid        NOT NULL,
    model_type               text        NOT NULL,
    name                     text        NOT NULL,
    serial_number            text        NOT NULL,
    created_at               timestamptz NOT NULL DEFAULT now(),
    updated_at               timestamptz NOT NULL DEFAULT now(),
    status                   machinestatus NOT NULL DEFAULT 'ACTIVE'
);
CREATE TABLE repairs (before machinestatus);
INSERT INTO repairs VALUES ('BROKEN'), ('ACTIVE');
INSERT INTO machines (customer_organization_id, model_type, name, serial_number, status)
SELECT gen_random_uuid(), 'press', 'machine ' || i, 'SN-' || i, CASE WHEN i <= 4 THEN 'BROKEN' ELSE 'ACTIVE' END::machinestatus
  FROM generate_series(1, 10) AS i;
