-- Somebody installed an extension: one finding, not one for each of its functions.
-- expect: unexpected_object extension:vector
-- repair: no, an object that nobody expects is dropped or adopted by hand
CREATE EXTENSION vector;
