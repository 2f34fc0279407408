-- The statistics target of an exclusion constraint's expression was reset.
-- expect: schema_mismatch constraint:public.bookings.apart
-- given:
CREATE TABLE bookings (first integer, last integer, CONSTRAINT apart EXCLUDE USING gist (int4range(first, last) WITH &&));
ALTER INDEX apart ALTER COLUMN 1 SET STATISTICS 500;
-- drift:
ALTER INDEX apart ALTER COLUMN 1 SET STATISTICS -1;
