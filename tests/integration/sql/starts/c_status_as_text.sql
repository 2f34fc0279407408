-- (c) status is text in every case and with blanks, guarded by a CHECK, NULL in places; there is no enum.
CREATE TABLE machines (
    id                       uuid         NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    customer_organization_id uuid         NOT NULL,
    model_type               varchar      NOT NULL,
    name                     varchar      NOT NULL,
    serial_number            varchar      NOT NULL,
    status                   varchar(20)  DEFAULT 'Active',
    location                 varchar(255),
    notes                    text,
    created_at               timestamptz  NOT NULL DEFAULT now(),
    updated_at               timestamptz  NOT NULL DEFAULT now(),
    CONSTRAINT machinestatus CHECK (lower(trim(status, E' \t\n')) IN
        ('active', 'inactive', 'maintenance', 'decommissioned'))
);

INSERT INTO machines
SELECT md5(i::text)::uuid, md5((i % 500)::text)::uuid, 'press ' || i % 7, 'machine ' || i, 'SN-' || i,
       (ARRAY['Active', 'ACTIVE', 'active ', NULL, 'Inactive', E'\tMAINTENANCE\n', 'Decommissioned', 'inActive'])
           [1 + i % 8],
       'hall ' || i % 12, CASE WHEN i % 3 = 0 THEN 'note ' || i END,
       '2020-01-01 00:00+00'::timestamptz + i * interval '20 minutes',
       '2021-01-01 00:00+00'::timestamptz + i * interval '20 minutes'
  FROM generate_series(1, 100000) AS i;
