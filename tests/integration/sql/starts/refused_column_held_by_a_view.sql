-- A view, a policy and a trigger hold on to a status that must become the enum.
-- refuses: status must become machinestatus, but is held by
-- refuses: view busy
-- refuses: policy active_ones
-- refuses: trigger on_status
CREATE TABLE machines (
    id                       uuid        NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    customer_organization_id uuid        NOT NULL,
    model_type               text        NOT NULL,
    name                     text        NOT NULL,
    serial_number            text        NOT NULL,
    created_at               timestamptz NOT NULL DEFAULT now(),
    updated_at               timestamptz NOT NULL DEFAULT now(),
    status                   text
);
CREATE VIEW busy AS SELECT m.name FROM machines AS m WHERE m.status = 'active';
CREATE POLICY active_ones ON machines USING (status = 'active');
CREATE TRIGGER on_status BEFORE UPDATE OF status ON machines
    FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
INSERT INTO machines (customer_organization_id, model_type, name, serial_number)
SELECT gen_random_uuid(), 'press', 'machine ' || i, 'SN-' || i FROM generate_series(1, 10) AS i;
