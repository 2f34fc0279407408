-- A status that is none, in text; spelt in two ways.
-- refuses: 'broken' in 3 row(s), 'Broken' in 2 row(s)
-- refuses: public.machines
CREATE TABLE machines (
    id                       uuid        NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    customer_organization_id uuid        NOT NULL,
    model_type               text        NOT NULL,
    name                     text        NOT NULL,
    serial_number            text        NOT NULL,
    created_at               timestamptz NOT NULL DEFAULT now(),
    updated_at               timestamptz NOT NULL DEFAULT now(),
    status                   varchar
);
INSERT INTO machines (customer_organization_id, model_type, name, serial_number, status)
SELECT gen_random_uuid(), 'press', 'machine ' || i, 'SN-' || i,
       CASE WHEN i <= 3 THEN 'broken' WHEN i <= 5 THEN 'Broken' WHEN i <= 8 THEN 'Active' END
  FROM generate_series(1, 10) AS i;
