-- An exclusion constraint is missing: bookings may overlap.
-- expect: schema_mismatch constraint:public.bookings.bookings_during_excl
-- given:
CREATE TABLE bookings (during tstzrange, EXCLUDE USING gist (during WITH &&));
-- drift:
ALTER TABLE bookings DROP CONSTRAINT bookings_during_excl;
