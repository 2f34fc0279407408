-- The database sets another search_path for its sessions.
-- expect: nothing
-- given:
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('good', 'bad');
CREATE TABLE app.people (id serial PRIMARY KEY, mood app.mood DEFAULT 'good' CHECK (mood <> 'bad'));
CREATE TABLE app.pets (owner integer REFERENCES app.people);
CREATE VIEW app.happy AS SELECT p.id FROM app.people AS p WHERE p.mood = 'good';
CREATE INDEX ON app.people (id) WHERE mood = 'good'::app.mood;
-- drift:
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = app, public', current_database()); END $$;
