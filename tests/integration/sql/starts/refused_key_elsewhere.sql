-- The primary key is not id: other tables may point at it.
-- refuses: primary key machines_pkey is not on id alone
CREATE TABLE machines (
    id                       uuid        NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    customer_organization_id uuid        NOT NULL,
    model_type               text        NOT NULL,
    name                     text        NOT NULL,
    serial_number            text        NOT NULL,
    created_at               timestamptz NOT NULL DEFAULT now(),
    updated_at               timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE machines DROP CONSTRAINT machines_pkey, ADD PRIMARY KEY (serial_number);
INSERT INTO machines (customer_organization_id, model_type, name, serial_number)
SELECT gen_random_uuid(), 'press', 'machine ' || i, 'SN-' || i FROM generate_series(1, 10) AS i;
