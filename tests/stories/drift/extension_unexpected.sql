-- An extension was installed by hand: one finding, not one for each of its functions.
-- expect: unexpected_object extension:vector
-- repair: no, an unexpected object is dropped or adopted by hand
CREATE EXTENSION vector;
