-- Names that nobody should give: quotes, blanks, line ends, per cent, backslashes, emoji, and all 63 bytes.

CREATE SCHEMA "s; DROP TABLE x; --";
CREATE SCHEMA "per%cent %s %(books)s %%";
CREATE SCHEMA "Ünï.cødé 🛠";
CREATE TABLE "s; DROP TABLE x; --"."a ""b"" 'c'" ("x.y" integer, "line
end" text, "back\slash" text, "tab	and  blanks " text, "(paren)" integer, ":colon" integer);
CREATE TABLE "per%cent %s %(books)s %%"."%s" ("%d" integer DEFAULT 1, "%(x)s" text DEFAULT '%s');
CREATE TABLE "Ünï.cødé 🛠"."🐘" ("🐍" text, "select" integer, "user" integer, "Ж" date, "$1" integer, "a$b" integer);
CREATE TABLE "123456789 123456789 123456789 123456789 123456789 123456789 123" ("abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abc" integer NOT NULL);
-- moves nothing
CREATE TABLE IF NOT EXISTS "123456789 123456789 123456789 123456789 123456789 123456789 123456789" (a integer);
ALTER TABLE "123456789 123456789 123456789 123456789 123456789 123456789 123" ADD PRIMARY KEY ("abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abc");
ALTER TABLE "123456789 123456789 123456789 123456789 123456789 123456789 123" ADD COLUMN n serial, ADD COLUMN i integer GENERATED ALWAYS AS IDENTITY, ADD CHECK (n > 0), ADD UNIQUE (n, i);
CREATE INDEX ON "123456789 123456789 123456789 123456789 123456789 123456789 123" (n, i);
ALTER TABLE "123456789 123456789 123456789 123456789 123456789 123456789 123" RENAME COLUMN n TO "ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ";
ALTER TABLE "Ünï.cødé 🛠"."🐘" ALTER COLUMN "Ж" SET NOT NULL;
ALTER TABLE "Ünï.cødé 🛠"."🐘" ALTER COLUMN "user" SET DEFAULT 5;
ALTER TABLE "Ünï.cødé 🛠"."🐘" ADD CONSTRAINT "it's 'here' %" CHECK ("select" > 0);
ALTER TABLE "Ünï.cødé 🛠"."🐘" RENAME CONSTRAINT "it's 'here' %" TO "there
now";
ALTER TABLE "Ünï.cødé 🛠"."🐘" ADD CONSTRAINT "P.K" PRIMARY KEY ("🐍");
CREATE INDEX "i ""x"".y" ON "Ünï.cødé 🛠"."🐘" (lower("🐍") DESC) WHERE "$1" > 0;
CREATE INDEX "%s index" ON "per%cent %s %(books)s %%"."%s" ("%d", "%(x)s");
ALTER INDEX "Ünï.cødé 🛠"."i ""x"".y" RENAME TO "I";
CREATE SEQUENCE "Ünï.cødé 🛠"."Seq.""%" OWNED BY "Ünï.cødé 🛠"."🐘"."$1";
CREATE SEQUENCE "s; DROP TABLE x; --"."of x.y" OWNED BY "s; DROP TABLE x; --"."a ""b"" 'c'"."x.y";
ALTER TABLE "s; DROP TABLE x; --"."a ""b"" 'c'" ALTER COLUMN "x.y" SET DEFAULT nextval('"s; DROP TABLE x; --"."of x.y"');
CREATE VIEW "per%cent %s %(books)s %%"."v ""%"" " AS SELECT "%d" AS "a.b", '%' AS "%" FROM "per%cent %s %(books)s %%"."%s" WHERE "%(x)s" LIKE '%''%\%';
ALTER VIEW "per%cent %s %(books)s %%"."v ""%"" " ALTER COLUMN "a.b" SET DEFAULT 1;
CREATE MATERIALIZED VIEW "🧊" AS SELECT 1 AS "🔢";
COMMENT ON COLUMN "🧊"."🔢" IS '100 % "sure", it''s \ fine; -- %s';
CREATE FUNCTION "Ünï.cødé 🛠"."f(x)"() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER "t.r ""%s""" AFTER UPDATE OF "$1" ON "Ünï.cødé 🛠"."🐘" FOR EACH ROW WHEN (NEW."select" <> 3) EXECUTE FUNCTION "Ünï.cødé 🛠"."f(x)"('%s', '''', '\');
ALTER TABLE "Ünï.cødé 🛠"."🐘" DISABLE TRIGGER "t.r ""%s""";
CREATE RULE "r %s" AS ON INSERT TO "per%cent %s %(books)s %%"."%s" WHERE NEW."%d" > 1 DO INSTEAD NOTHING;
CREATE POLICY "p; %s ""x""" ON "Ünï.cødé 🛠"."🐘" USING ("user" = 1);
CREATE STATISTICS "Ünï.cødé 🛠"."st.""%s" ON "user", "Ж" FROM "Ünï.cødé 🛠"."🐘";
CREATE TABLE "Ünï.cødé 🛠"."p.q" ("at.%" date) PARTITION BY RANGE ("at.%");
CREATE TABLE "Ünï.cødé 🛠"."p.q""1" PARTITION OF "Ünï.cødé 🛠"."p.q" FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX "of.all" ON "Ünï.cødé 🛠"."p.q" ("at.%");
CREATE TRIGGER "on, all" AFTER INSERT ON "Ünï.cødé 🛠"."p.q" FOR EACH ROW EXECUTE FUNCTION "Ünï.cødé 🛠"."f(x)"();
ALTER TABLE "Ünï.cødé 🛠"."p.q""1" DISABLE TRIGGER "on, all";
CREATE TABLE "child of ""🐘""" ("own col" integer) INHERITS ("Ünï.cødé 🛠"."🐘");
ALTER SCHEMA "Ünï.cødé 🛠" RENAME TO "Ünï";
ALTER TABLE "Ünï"."🐘" RENAME TO "table";
ALTER TABLE "Ünï"."table" RENAME COLUMN "🐍" TO "column";
DROP INDEX "per%cent %s %(books)s %%"."%s index";
DROP SCHEMA "per%cent %s %(books)s %%" CASCADE;
DROP TABLE "child of ""🐘""";
-- Names that differ in a blank, in case, or in where the dot is.
CREATE TABLE "a.b" (c integer);
CREATE SCHEMA a;
CREATE TABLE a.b (c integer);
CREATE TABLE a."b.c" (d integer);
CREATE TABLE "A" (x integer, "X" integer, "x " integer, " x" integer);
DROP TABLE "a.b";
ALTER TABLE "A" DROP COLUMN "x ";
ALTER TABLE "A" RENAME COLUMN "X" TO "x ";
DROP SCHEMA "s; DROP TABLE x; --" CASCADE;
