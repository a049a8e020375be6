-- A scan goes on while its table changes, and gives the rows of its snapshot.
SET enable_seqscan = off;
SET enable_sort = off;
SET work_mem = '64kB';
CREATE TABLE t (id int, d descriptor(64));
CREATE FUNCTION place(i int) RETURNS descriptor LANGUAGE sql IMMUTABLE
    AS $$ SELECT (ARRAY[i, i % 7] || array_fill(0, ARRAY[62]))::real[]::descriptor $$;
INSERT INTO t SELECT i, place(i) FROM generate_series(1, 4321) AS i;
CREATE INDEX t_d ON t USING faiss (d);
CREATE TABLE came (id int);

-- Pages that were read are read again, with places that have been filled meanwhile.
BEGIN;
CREATE FUNCTION fetch_all(INOUT c refcursor, OUT rows bigint, OUT ids bigint)
LANGUAGE plpgsql AS $$
DECLARE got int;
BEGIN
    LOOP
        FETCH c INTO got;
        EXIT WHEN NOT FOUND;
        INSERT INTO came VALUES (got);
    END LOOP;
    SELECT count(*), count(DISTINCT id) INTO rows, ids FROM came;
END $$;
DECLARE c CURSOR FOR SELECT id FROM t ORDER BY d <-> place(1);
FETCH 1 FROM c;
INSERT INTO t SELECT i, place(i) FROM generate_series(5001, 5500) AS i;
SELECT rows, ids FROM fetch_all('c');
COMMIT;

-- The same where lists, a few of many, are opened as the scan goes on.
TRUNCATE came;
DROP INDEX t_d;
CREATE INDEX t_d ON t USING faiss (d) WITH (lists = 20);
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM t ORDER BY d <-> place(1);
FETCH 1 FROM c;
INSERT INTO t SELECT i, place(i % 400 + 500) FROM generate_series(6001, 6700) AS i;
SELECT rows, ids FROM fetch_all('c');
COMMIT;

-- Rows whose places VACUUM gives to others meanwhile: deleted ones, so nobody misses them.
DELETE FROM t WHERE id % 3 = 0;
VACUUM t;
INSERT INTO t SELECT i, place(i) FROM generate_series(7001, 7900) AS i;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM t ORDER BY d <-> place(1)) AS x;
SELECT count(*) FROM t;
DROP TABLE t, came;
DROP FUNCTION place;
DROP FUNCTION fetch_all;
