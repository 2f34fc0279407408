-- A table was dropped and created again, with its columns in another order.
-- expect: nothing
-- given:
CREATE TABLE visits (id bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), machine uuid REFERENCES machines);
-- drift:
DROP TABLE visits;
CREATE TABLE visits (
    machine uuid REFERENCES machines (id),
    at      timestamp with time zone DEFAULT now() NOT NULL,
    id      int8
);
ALTER TABLE visits ADD PRIMARY KEY (id);
