-- The database sets parameters that change how objects are printed, not what they are.
-- expect: nothing
-- given:
CREATE TABLE offers (
    valid_until timestamptz      DEFAULT '2030-01-02 03:04:05+00',
    every       interval         DEFAULT '1 day',
    price       double precision DEFAULT 0.1,
    picture     bytea            DEFAULT '\x00ff'
);
-- drift:
DO $$
DECLARE
    setting text;
BEGIN
    FOREACH setting IN ARRAY ARRAY['TimeZone = ''Asia/Kathmandu''', 'DateStyle = ''ISO, DMY''',
                                   'bytea_output = escape', 'quote_all_identifiers = on',
                                   'standard_conforming_strings = off', 'xmloption = document',
                                   'statement_timeout = 5000', 'row_security = off',
                                   'default_transaction_isolation = serializable',
                                   'default_transaction_read_only = on'] LOOP
        EXECUTE format('ALTER DATABASE %I SET ', current_database()) || setting;
    END LOOP;
END
$$;
