-- The enum must be replaced, and an array of it is in the way: PostgreSQL says so itself.
-- refuses: column history of table logbook
-- sqlstate: 2BP01
-- stops: 0002_machinestatus
CREATE TYPE machinestatus AS ENUM ('inactive', 'active', 'maintenance', 'decommissioned');
CREATE TABLE machines (
    id                       uuid        NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    customer_organization_id uuid        NOT NULL,
    model_type               text        NOT NULL,
    name                     text        NOT NULL,
    serial_number            text        NOT NULL,
    created_at               timestamptz NOT NULL DEFAULT now(),
    updated_at               timestamptz NOT NULL DEFAULT now(),
    status                   machinestatus
);
CREATE TABLE logbook (history machinestatus[]);
INSERT INTO logbook VALUES (ARRAY['active', 'inactive']::machinestatus[]);
INSERT INTO machines (customer_organization_id, model_type, name, serial_number, status)
SELECT gen_random_uuid(), 'press', 'machine ' || i, 'SN-' || i, 'active' FROM generate_series(1, 10) AS i;
