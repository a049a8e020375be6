-- Whose rights functions about indexes use, and what they leave for others to reach.
CREATE ROLE regress_painter;
CREATE ROLE regress_reader;
GRANT CREATE ON SCHEMA public TO regress_painter;
CREATE TABLE tiles (id int PRIMARY KEY, d descriptor(2), place text);
INSERT INTO tiles SELECT i, ARRAY[i / 2, 1]::real[]::descriptor, 'x' FROM generate_series(1, 40) AS i;
CREATE INDEX tiles_d ON tiles USING faiss (d);
ALTER TABLE tiles OWNER TO regress_painter;

-- No cursor waits between the rows of faiss_duplicates, for its user to close, rename or replace.
BEGIN;
DECLARE pairs CURSOR FOR SELECT (faiss_duplicates('tiles_d', 0)).distance;
FETCH 1 FROM pairs;
SELECT name FROM pg_cursors;
DECLARE "<unnamed portal 1>" CURSOR FOR SELECT 'x'::text, 1, 2, 3 FROM generate_series(1, 1000);
MOVE ALL IN pairs;
COMMIT;
-- One that an error of its caller's leaves behind could be found by the next statement.
BEGIN;
SAVEPOINT before;
SELECT 1 / (count(*) - 1) FROM (SELECT faiss_duplicates('tiles_d', 0) LIMIT 1) AS first;
ROLLBACK TO before;
SELECT count(*) FROM pg_cursors;
COMMIT;

-- Expressions and predicates run as the table's owner, whoever measures, who has no rights to lend,
-- and names in them are not looked up where the caller says.
CREATE SCHEMA regress_trap;
CREATE FUNCTION seen_by(descriptor) RETURNS descriptor LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF current_user <> 'regress_painter' OR current_setting('search_path') LIKE '%trap%' THEN
        RAISE EXCEPTION 'as %, path %', current_user, current_setting('search_path');
    END IF;
    RETURN $1;
END $$;
CREATE FUNCTION chosen_by(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF current_user <> 'regress_painter' THEN RAISE EXCEPTION 'as %', current_user; END IF;
    RETURN true;
END $$;
CREATE FUNCTION grasping(descriptor) RETURNS descriptor LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE TABLE watched AS SELECT i AS id, '[1,2]'::descriptor(2) AS d FROM generate_series(1, 2) AS i;
ALTER TABLE watched OWNER TO regress_painter;
GRANT SELECT ON watched, tiles TO regress_reader;
SET SESSION AUTHORIZATION regress_painter;
CREATE INDEX watched_d ON watched USING faiss ((seen_by(d)));
CREATE INDEX watched_some ON watched USING faiss (d) WHERE chosen_by(id);
CREATE INDEX watched_grasp ON watched USING faiss ((grasping(d)));
RESET SESSION AUTHORIZATION;
-- What an owner may do to his function once the index is there.
CREATE OR REPLACE FUNCTION grasping(descriptor) RETURNS descriptor LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    BEGIN
        RESET ROLE;
        RAISE EXCEPTION 'grasped';
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
    BEGIN
        ALTER ROLE regress_painter SUPERUSER;
        RAISE EXCEPTION 'grasped';
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
    RETURN $1;
END $$;
SET search_path = regress_trap, public;
SELECT count(*), current_user FROM faiss_duplicates('watched_d', 1);
SELECT count(*) FROM faiss_duplicates('watched_some', 1);
SELECT count(*) FROM faiss_duplicates('watched_grasp', 1);
SELECT rolsuper FROM pg_roles WHERE rolname = 'regress_painter';
SELECT queries FROM faiss_index_recall('watched_d');
SELECT faiss_index_check('watched_d');
SELECT faiss_index_check('watched_grasp');
SELECT faiss_index_calibrate('watched_d');
SET ROLE regress_reader;
SELECT count(*), current_user FROM faiss_duplicates('watched_d', 1);
SELECT current_user, current_setting('search_path');
RESET ROLE;
RESET search_path;

-- After an error the caller is himself again.
CREATE OR REPLACE FUNCTION seen_by(descriptor) RETURNS descriptor LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RAISE EXCEPTION 'as %', current_user;
END $$;
BEGIN;
SAVEPOINT before;
SELECT faiss_duplicates('watched_d', 1);
ROLLBACK TO before;
SELECT current_user = session_user AS self, current_setting('search_path');
COMMIT;

-- What to read of the table: all of it where the owner's code runs, else as in any query.
CREATE INDEX tiles_part ON tiles USING faiss (d) WHERE place = 'x';
REVOKE SELECT ON tiles FROM regress_reader;
SET ROLE regress_reader;
SELECT count(*) FROM faiss_duplicates('tiles_d', 0);
RESET ROLE;
GRANT SELECT (d) ON tiles TO regress_reader;
SET ROLE regress_reader;
SELECT count(*) FROM faiss_duplicates('tiles_d', 0);
SELECT count(*) FROM faiss_duplicates('tiles_part', 0);
RESET ROLE;
GRANT SELECT ON tiles TO regress_reader;
GRANT pg_stat_scan_tables TO regress_reader;
ALTER TABLE tiles ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON tiles USING (id <= 5);
SET ROLE regress_reader;
SELECT count(*) FROM tiles;
SELECT count(*) FROM faiss_duplicates('tiles_d', 0);
SELECT count(*) FROM faiss_duplicates('tiles_part', 0);
SELECT queries FROM faiss_index_recall('tiles_d');
RESET ROLE;
SET ROLE regress_painter;
SELECT count(*) FROM faiss_duplicates('tiles_part', 0);
RESET ROLE;

-- FORCE holds for the owner, as whom the statement would run.
ALTER TABLE tiles FORCE ROW LEVEL SECURITY;
SELECT count(*) FROM faiss_duplicates('tiles_part', 0);
SELECT count(*) FROM faiss_duplicates('tiles_d', 0);
ALTER TABLE tiles NO FORCE ROW LEVEL SECURITY;
-- A session's digits are not those of the statement.
SET extra_float_digits = -15;
SELECT count(*) FROM faiss_duplicates('tiles_part', 1.95);
RESET extra_float_digits;

-- Networks: the database's owner may dump and restore them, and nobody else may read them.
SELECT grantee, string_agg(privilege_type, ' ' ORDER BY privilege_type) AS privileges
  FROM information_schema.role_table_grants
 WHERE table_name = 'lookalike_models' AND grantee <> current_user GROUP BY 1;
SELECT count(*) FROM lookalike_models;
SET ROLE regress_reader;
SELECT data FROM lookalike_models;
SELECT count(*) FROM lookalike_models WHERE name = '';
DELETE FROM lookalike_models;
RESET ROLE;

DROP TABLE tiles, watched;
DROP FUNCTION seen_by, chosen_by, grasping;
DROP SCHEMA regress_trap;
REVOKE ALL ON SCHEMA public FROM regress_painter;
DROP ROLE regress_painter, regress_reader;
