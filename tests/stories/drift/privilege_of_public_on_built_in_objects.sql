-- PUBLIC lost its privileges on built-in objects: a language, a catalog function and a catalog table.
-- expect: schema_mismatch grant:language.plpgsql."PUBLIC"
-- expect: schema_mismatch grant:function.pg_catalog.now()."PUBLIC"
-- expect: schema_mismatch grant:table.pg_catalog.pg_class."PUBLIC"
-- expect: schema_mismatch grant:schema.pg_catalog."PUBLIC"
-- expect: schema_mismatch grant:function.pg_catalog.pg_reload_conf()."PUBLIC"
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION pg_catalog.now() FROM PUBLIC;
REVOKE SELECT ON pg_catalog.pg_class FROM PUBLIC;
REVOKE USAGE ON SCHEMA pg_catalog FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO PUBLIC;
