-- (g) The table was called devices once: its key, and on PostgreSQL 18 its NOT NULLs, still are. It has an
-- index for the serial number as SQLAlchemy names it, and another table points at it.
-- leaves: ix_machines_serial_number, readings
CREATE TABLE devices (
    id                       uuid         NOT NULL,
    customer_organization_id uuid         NOT NULL,
    model_type               varchar(50)  NOT NULL,
    name                     varchar(200) NOT NULL,
    serial_number            varchar(100) NOT NULL,
    created_at               timestamp    NOT NULL,
    updated_at               timestamp    NOT NULL,
    location                 varchar(100) NOT NULL,
    status                   text         NOT NULL,
    CONSTRAINT devices_key PRIMARY KEY (id)
);
ALTER TABLE devices RENAME TO machines;
CREATE UNIQUE INDEX ix_machines_serial_number ON machines (serial_number);
CREATE TABLE readings (machine_id uuid NOT NULL REFERENCES machines (id), value numeric NOT NULL);

INSERT INTO machines
SELECT md5(i::text)::uuid, md5((i % 500)::text)::uuid, 'press ' || i % 7, 'machine ' || i, 'SN-' || i,
       '2020-01-01 00:00'::timestamp + i * interval '20 minutes',
       '2021-01-01 00:00'::timestamp + i * interval '20 minutes', '', (ARRAY['ACTIVE', 'Maintenance'])[1 + i % 2]
  FROM generate_series(1, 100000) AS i;
INSERT INTO readings SELECT md5(i::text)::uuid, i FROM generate_series(1, 100) AS i;
