-- needs: superuser

CREATE ACCESS METHOD tree TYPE INDEX HANDLER bthandler;
CREATE ACCESS METHOD "He""ap" TYPE TABLE HANDLER heap_tableam_handler;
CREATE OPERATOR CLASS numbers DEFAULT FOR TYPE integer USING tree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(integer, integer);
CREATE TABLE rows (n integer) USING "He""ap";
-- Before 18 a B-tree had to be the one that comes along.
-- since: 18
CREATE INDEX rows_n_idx ON rows USING tree (n);
-- since: 18
-- fails
DROP ACCESS METHOD tree;
-- since: 18
DROP ACCESS METHOD tree CASCADE;
-- Its operator classes go with it; only an index holds it.
-- until: 17
DROP ACCESS METHOD tree;
-- moves nothing
DROP ACCESS METHOD IF EXISTS tree;
DROP TABLE rows;
DROP ACCESS METHOD "He""ap" RESTRICT;
