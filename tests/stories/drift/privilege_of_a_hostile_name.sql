-- A role, a schema and a table have names that need quotes.
-- expect: permission_denied table:"My ""app""%"."select"
-- expect: schema_mismatch grant:table."My ""app""%"."select"."Story-Writer"
-- contract: {"role": "Story-Writer", "tables": {"\"My \"\"app\"\"%\".\"select\"": {"privileges": ["UPDATE"]}}}
-- role: Story-Writer
-- given:
CREATE SCHEMA "My ""app""%";
CREATE TABLE "My ""app""%"."select" (id bigint PRIMARY KEY);
GRANT USAGE ON SCHEMA "My ""app""%" TO "Story-Writer";
GRANT SELECT, UPDATE ON "My ""app""%"."select" TO "Story-Writer";
-- drift:
REVOKE UPDATE ON "My ""app""%"."select" FROM "Story-Writer";
