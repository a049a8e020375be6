-- Long values move out of the row as they are; short ones stay, with a header of 9 bytes.
SELECT typstorage, typalign, typlen, typbyval FROM pg_type WHERE oid = 'descriptor'::regtype;
CREATE TABLE stored (id integer PRIMARY KEY, v descriptor);
SELECT attstorage FROM pg_attribute WHERE attrelid = 'stored'::regclass AND attname = 'v';
INSERT INTO stored VALUES (1, '[1,2,3]'), (2, '[1,2,3]'::descriptor(3, half)), (3, 'b101');
SELECT id, pg_column_size(v) FROM stored ORDER BY id;
INSERT INTO stored SELECT 4, array_agg(i)::descriptor FROM generate_series(1, 16000) i;
INSERT INTO stored SELECT 5, array_agg(i % 2048)::descriptor(16000, half)
    FROM generate_series(1, 16000) i;
INSERT INTO stored VALUES (6, ('b' || repeat('01', 32000))::descriptor);
SELECT id, descriptor_dims(v), descriptor_kind(v), pg_column_size(v) FROM stored
    WHERE id > 3 ORDER BY id;
SELECT count(*) AS as_written FROM generate_series(1, 16000) i,
    (SELECT (SELECT v::real[] FROM stored WHERE id = 4) AS a,
    (SELECT v::real[] FROM stored WHERE id = 5) AS b)
    AS arrays WHERE a[i] = i AND b[i] = i % 2048;
SELECT count(*) FROM stored WHERE v = ('x' || repeat('5', 16000))::descriptor;
SELECT subvector(v, 15999, 2), v <-> v AS distance FROM stored WHERE id IN (4, 5) ORDER BY id;
UPDATE stored SET v = v || subvector(v, 1, 1) WHERE id = 4;
UPDATE stored SET v = subvector(v, 1, 15999) || '[7]' WHERE id = 4;
UPDATE stored SET id = 40 WHERE id = 4;
SELECT subvector(v, 15998, 3) FROM stored WHERE id = 40;
-- A column that compresses all the same is read back too.
ALTER TABLE stored ALTER v SET STORAGE extended;
INSERT INTO stored VALUES (7, ('[' || repeat('1,', 2499) || '1]')::descriptor);
SELECT pg_column_size(v) < 1000 AS compressed, descriptor_norm(v) FROM stored WHERE id = 7;
DELETE FROM stored WHERE id > 3;
VACUUM FULL stored;
SELECT * FROM stored ORDER BY id;
DROP TABLE stored;
-- An argument that stays the same is fetched from TOAST twice at most, not at every row.
CREATE TABLE moved AS SELECT n AS id, array_agg(sin(n * i))::real[]::descriptor AS v
    FROM generate_series(1, 100) AS n, generate_series(1, 600) AS i GROUP BY n;
CREATE VIEW fetched AS SELECT sum(pg_stat_get_xact_numscans(indexrelid)) AS values FROM pg_index
    WHERE indrelid = (SELECT reltoastrelid FROM pg_class WHERE oid = 'moved'::regclass);
BEGIN;
SELECT values AS before FROM fetched \gset
SELECT count(v <-> (SELECT v FROM moved WHERE id = 1)) FROM moved;
SELECT values - :before AS values FROM fetched;
SELECT count(within((SELECT v FROM moved WHERE id = 1), v, 30)) FROM moved;
SELECT values - :before AS values FROM fetched;
COMMIT;
-- It may change.
CREATE TABLE inside (LIKE moved);
ALTER TABLE inside ALTER v SET STORAGE plain;
INSERT INTO inside SELECT * FROM moved;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT count(*) AS pairs, count(DISTINCT distance) > 900 AS differ FROM
    (SELECT a.id, b.id, a.v <-> b.v AS distance FROM moved a, moved b WHERE a.id <= 10
     INTERSECT SELECT a.id, b.id, a.v <-> b.v FROM inside a, inside b WHERE a.id <= 10) AS same;
SELECT count(*) FROM
    (SELECT a.id, b.id FROM moved a, moved b WHERE a.id <= 10 AND within(a.v, b.v, 17)
     EXCEPT SELECT a.id, b.id FROM inside a, inside b WHERE a.id <= 10 AND within(a.v, b.v, 17)) AS other;
DROP VIEW fetched;
DROP TABLE moved, inside;
