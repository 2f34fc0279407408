-- (d) The enum as SQLAlchemy makes it when nobody tells it otherwise: the names, not the values.
-- leaves: broken_down, ix_machines_status
-- rewrites: no
CREATE TYPE machinestatus AS ENUM ('ACTIVE', 'INACTIVE', 'MAINTENANCE', 'DECOMMISSIONED');
CREATE TABLE machines (
    id                       uuid          NOT NULL PRIMARY KEY,
    customer_organization_id uuid          NOT NULL,
    model_type               varchar       NOT NULL,
    name                     varchar       NOT NULL,
    serial_number            varchar       NOT NULL,
    purchase_date            timestamptz,
    warranty_expiry_date     timestamptz,
    status                   machinestatus NOT NULL DEFAULT 'ACTIVE',
    last_maintenance_date    timestamptz,
    next_maintenance_date    timestamptz,
    location                 varchar(255),
    notes                    text,
    created_at               timestamptz   NOT NULL DEFAULT now(),
    updated_at               timestamptz   NOT NULL DEFAULT now()
);
CREATE INDEX ix_machines_status ON machines (status);
CREATE VIEW broken_down AS SELECT m.id, m.status FROM machines AS m WHERE m.status = 'MAINTENANCE';

INSERT INTO machines
SELECT md5(i::text)::uuid, md5((i % 500)::text)::uuid, 'press ' || i % 7, 'machine ' || i, 'SN-' || i,
       '2019-01-01 00:00+00'::timestamptz + i * interval '1 second', NULL,
       (enum_range(NULL::machinestatus))[1 + i % 4], NULL,
       '2030-01-01 00:00+00'::timestamptz + i * interval '1 second', 'hall ' || i % 12, 'note ' || i,
       '2020-01-01 00:00+00'::timestamptz + i * interval '20 minutes',
       '2021-01-01 00:00+00'::timestamptz + i * interval '20 minutes'
  FROM generate_series(1, 100000) AS i;
