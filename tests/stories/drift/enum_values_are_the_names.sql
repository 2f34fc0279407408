-- An ORM created the enum from its member names: every value is in upper case.
-- expect: enum_mismatch enum:public.machinestatus
ALTER TYPE machinestatus RENAME VALUE 'active' TO 'ACTIVE';
ALTER TYPE machinestatus RENAME VALUE 'inactive' TO 'INACTIVE';
ALTER TYPE machinestatus RENAME VALUE 'maintenance' TO 'MAINTENANCE';
ALTER TYPE machinestatus RENAME VALUE 'decommissioned' TO 'DECOMMISSIONED';
