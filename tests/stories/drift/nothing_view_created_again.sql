-- A view was dropped and created again from a differently formatted text.
-- expect: nothing
-- given:
CREATE VIEW active_machines AS SELECT m.id FROM machines AS m WHERE m.status IN ('active', 'inactive');
-- drift:
DROP VIEW active_machines;
create view "active_machines" as (
    select m.id -- the key
      from public.machines m where m.status = any (array['active'::machinestatus, 'inactive']));
