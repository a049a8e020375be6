-- Every kind of table that an index can be made on, and what a scan to the end gives: each row once.
\set VERBOSITY terse
SET enable_seqscan = off;
SET enable_sort = off;
SET enable_bitmapscan = off;

-- Empty, then filled; the first value settles the dimensions.
CREATE TABLE empty (id int, d descriptor);
CREATE INDEX empty_d ON empty USING faiss (d);
SELECT id FROM empty ORDER BY d <-> '[1,2]';
INSERT INTO empty VALUES (1, NULL);
SELECT id FROM empty ORDER BY d <-> '[1,2]';
INSERT INTO empty VALUES (2, '[1,2]'), (3, '[0,0]'), (4, NULL);
SELECT id, d <-> '[0,0]' AS distance FROM empty ORDER BY d <-> '[0,0]';
INSERT INTO empty VALUES (5, '[1,2,3]');
SELECT id FROM empty ORDER BY d <-> '[1,2,3]';

-- One row, equal rows, only NULL, fewer distinct rows than lists.
CREATE TABLE tiny (id int, d descriptor(3));
INSERT INTO tiny VALUES (1, '[1,2,3]');
CREATE INDEX tiny_d ON tiny USING faiss (d) WITH (lists = 10);
SELECT id, d <-> '[1,2,2]' AS distance FROM tiny ORDER BY d <-> '[1,2,2]';
CREATE TABLE equal_rows (id int, d descriptor(3));
INSERT INTO equal_rows SELECT i, '[1,2,3]' FROM generate_series(1, 6000) AS i;
CREATE INDEX equal_rows_d ON equal_rows USING faiss (d);
SELECT count(*), count(DISTINCT id), min(distance), max(distance)
  FROM (SELECT id, d <-> '[1,2,4]' AS distance FROM equal_rows ORDER BY d <-> '[1,2,4]') AS came;
INSERT INTO equal_rows SELECT i, '[1,2,3]' FROM generate_series(6001, 6100) AS i;
SELECT count(*), count(DISTINCT id)
  FROM (SELECT id FROM equal_rows ORDER BY d <-> '[1,2,4]') AS came;
CREATE TABLE all_null (id int, d descriptor);
INSERT INTO all_null SELECT i, NULL FROM generate_series(1, 2000) AS i;
CREATE INDEX all_null_d ON all_null USING faiss (d);
SELECT count(*), count(DISTINCT id)
  FROM (SELECT id FROM all_null ORDER BY d <-> '[1,2]') AS came;
INSERT INTO all_null VALUES (0, '[1,2]');
SELECT id FROM all_null ORDER BY d <-> '[1,2]' LIMIT 1;
CREATE TABLE few (id int, d descriptor(2));
INSERT INTO few SELECT i, ARRAY[i % 3, 0]::real[]::descriptor FROM generate_series(1, 600) AS i;
CREATE INDEX few_d ON few USING faiss (d) WITH (lists = 100);
SELECT distance, count(*) FROM (SELECT id, d <-> '[0,0]' AS distance FROM few
    ORDER BY d <-> '[0,0]') AS came GROUP BY distance ORDER BY distance;

-- Zero vectors have no direction: NaN, after all numbers and before NULL.
CREATE TABLE zeros (id int, d descriptor(2));
INSERT INTO zeros VALUES (1, '[0,0]'), (2, '[1,0]'), (3, NULL), (4, '[0,3]');
CREATE INDEX zeros_d ON zeros USING faiss (d descriptor_cosine_ops);
INSERT INTO zeros VALUES (5, '[-0,0]'), (6, '[-2,0]'), (7, NULL);
SELECT id, d <=> '[5,0]' AS distance FROM zeros ORDER BY d <=> '[5,0]';
SELECT id, d <=> '[0,0]' AS distance FROM zeros ORDER BY d <=> '[0,0]';
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM zeros ORDER BY d <=> NULL) AS came;

-- Half and bit descriptors, inner product.
CREATE TABLE kinds (id int, h descriptor(2, half), b descriptor(8, bit));
INSERT INTO kinds VALUES (1, '[1,2]', 'b00001111'), (2, '[3,4]', 'b11111111');
INSERT INTO kinds VALUES (3, '[-1,0]', 'b00000000'), (4, NULL, NULL);
CREATE INDEX kinds_h ON kinds USING faiss (h descriptor_ip_ops);
CREATE INDEX kinds_b ON kinds USING faiss (b descriptor_hamming_ops);
CREATE INDEX kinds_j ON kinds USING faiss (b descriptor_jaccard_ops);
INSERT INTO kinds VALUES (1, '[1,2]', 'b00001111'), (2, '[3,4]', 'b11111111');
SELECT id, h <#> '[1,1]'::descriptor(2, half) AS distance FROM kinds
 ORDER BY h <#> '[1,1]'::descriptor(2, half);
SELECT id, b <~> 'b00001110' AS distance FROM kinds ORDER BY b <~> 'b00001110';
SELECT id, b <%> 'b00011111' AS distance FROM kinds ORDER BY b <%> 'b00011111' LIMIT 2;

-- Expression and partial indexes, updates, HOT, ON CONFLICT.
CREATE TABLE places (id int PRIMARY KEY, x real, y real, note text);
INSERT INTO places SELECT i, i % 10, i / 10, 'note' FROM generate_series(0, 99) AS i;
CREATE INDEX places_d ON places USING faiss ((ARRAY[x, y]::real[]::descriptor(2)));
CREATE INDEX places_part ON places USING faiss ((ARRAY[y, x]::real[]::descriptor(2))) WHERE id > 90;
SELECT id FROM places ORDER BY ARRAY[x, y]::real[]::descriptor(2) <-> '[3.2,4.1]' LIMIT 1;
SELECT id FROM places WHERE id > 90 ORDER BY ARRAY[y, x]::real[]::descriptor(2) <-> '[3,4]' LIMIT 1;
UPDATE places SET note = 'other' WHERE id = 43;
UPDATE places SET x = 100 WHERE id = 44;
INSERT INTO places VALUES (43, 50, 50, '') ON CONFLICT (id) DO UPDATE SET x = excluded.x, y = excluded.y;
SELECT id FROM places ORDER BY ARRAY[x, y]::real[]::descriptor(2) <-> '[50,50]' LIMIT 1;
SELECT count(*), count(DISTINCT id)
  FROM (SELECT id FROM places ORDER BY ARRAY[x, y]::real[]::descriptor(2) <-> '[3,4]') AS came;

-- Partitions: one index each, merged by distance.
CREATE TABLE parted (id int, d descriptor(2)) PARTITION BY RANGE (id);
CREATE TABLE parted_a PARTITION OF parted FOR VALUES FROM (0) TO (50);
CREATE TABLE parted_b PARTITION OF parted FOR VALUES FROM (50) TO (100);
INSERT INTO parted SELECT i, ARRAY[i, 1]::real[]::descriptor FROM generate_series(0, 99) AS i;
CREATE INDEX parted_d ON parted USING faiss (d);
EXPLAIN (COSTS OFF) SELECT id FROM parted ORDER BY d <-> '[49.25,1]' LIMIT 3;
SELECT id FROM parted ORDER BY d <-> '[49.25,1]' LIMIT 3;

-- Unlogged, temporary, in another tablespace.
CREATE UNLOGGED TABLE fleeting (id int, d descriptor(2));
CREATE INDEX fleeting_d ON fleeting USING faiss (d);
INSERT INTO fleeting SELECT i, ARRAY[i, 0]::real[]::descriptor FROM generate_series(1, 100) AS i;
SELECT id FROM fleeting ORDER BY d <-> '[7,0]' LIMIT 1;
ALTER TABLE fleeting SET LOGGED;
SELECT id FROM fleeting ORDER BY d <-> '[8,0]' LIMIT 1;
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE faiss_elsewhere LOCATION '';
CREATE INDEX fleeting_elsewhere ON fleeting USING faiss (d) TABLESPACE faiss_elsewhere;
DROP INDEX fleeting_d;
SELECT id FROM fleeting ORDER BY d <-> '[9,0]' LIMIT 1;
DROP TABLE fleeting;
DROP TABLESPACE faiss_elsewhere;
CREATE TEMP TABLE passing (id int, d descriptor) ON COMMIT DELETE ROWS;
CREATE INDEX passing_d ON passing USING faiss (d);
BEGIN;
INSERT INTO passing SELECT i, ARRAY[i, i, i]::real[]::descriptor FROM generate_series(1, 500) AS i;
SELECT id FROM passing ORDER BY d <-> '[9,9,9]' LIMIT 1;
COMMIT;
BEGIN;
INSERT INTO passing SELECT i, ARRAY[i, i]::real[]::descriptor FROM generate_series(1, 20) AS i;
SELECT id FROM passing ORDER BY d <-> '[5,5]' LIMIT 1;
COMMIT;

-- TRUNCATE builds the index of a table of the same transaction again in the same file.
BEGIN;
CREATE TABLE same_file (id int, d descriptor);
INSERT INTO same_file SELECT i, ARRAY[i, i, i]::real[]::descriptor FROM generate_series(1, 500) AS i;
CREATE INDEX same_file_d ON same_file USING faiss (d);
SELECT id FROM same_file ORDER BY d <-> '[9,9,9]' LIMIT 1;
TRUNCATE same_file;
INSERT INTO same_file SELECT i, ARRAY[i, i]::real[]::descriptor FROM generate_series(1, 50) AS i;
SELECT id FROM same_file ORDER BY d <-> '[4,4]' LIMIT 1;
ROLLBACK;

-- What a build tells PostgreSQL about the sizes of table and index.
CREATE TABLE counted (id int, d descriptor(2));
INSERT INTO counted SELECT i, ARRAY[i, 0]::real[]::descriptor FROM generate_series(1, 400) AS i;
CREATE INDEX counted_d ON counted USING faiss (d);
CREATE INDEX counted_part ON counted USING faiss (d) WHERE id <= 100;
SELECT relname, reltuples FROM pg_class WHERE relname LIKE 'counted%' ORDER BY relname;

DROP TABLE empty, tiny, equal_rows, all_null, few, zeros, kinds, places, parted, counted;

-- Too little memory for a good sample: how much is enough, and that it is.
\set VERBOSITY default
SET maintenance_work_mem = '1MB';
CREATE TABLE sampled AS SELECT ARRAY(SELECT sin(i * 12.9898 + k * k * 0.37) FROM generate_series(1, 32) AS k)
    ::real[]::descriptor(32) AS d FROM generate_series(1, 6000) AS i;
CREATE INDEX sampled_d ON sampled USING faiss (d) WITH (lists = 100);
SET maintenance_work_mem = '2MB';
REINDEX INDEX sampled_d;
RESET maintenance_work_mem;
DROP TABLE sampled;
