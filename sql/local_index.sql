-- An index on local features: as complete as reading the table, and as right.
CREATE FUNCTION made(seed int, count int, shift int DEFAULT 0, of_kind text DEFAULT 'orb')
    RETURNS local_features LANGUAGE sql IMMUTABLE AS $$
    SELECT (of_kind || '@1 512x512 {' || coalesce(string_agg(format('(%s,%s,%s,%s,%s,%s)',
            (hashint4(seed * 1000 + i) & 32767) + shift, hashint4(seed * 1000 - i) & 32767, 100 + i % 50, i * 37 % 256,
            255 - i * 255 / count, (SELECT string_agg(md5(seed || ' ' || i || ' ' || k), '' ORDER BY k)
                FROM generate_series(1, CASE of_kind WHEN 'orb' THEN 2 ELSE 8 END) AS k)), ',' ORDER BY i), '')
        || '}')::local_features FROM generate_series(1, count) AS i
$$;
-- What the plan does, and whether the index gives what the table has.
CREATE FUNCTION node_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line ~ 'Scan' THEN RETURN ltrim(line, ' ->'); END IF;
    END LOOP;
END $$;
SET jit = off;
SET max_parallel_workers_per_gather = 0;

-- Rows before the index and after it; empty sets, NULL, a set that is moved.
CREATE TABLE pins (id int PRIMARY KEY, season int, l local_features);
INSERT INTO pins SELECT i, i % 4, made(i, 40) FROM generate_series(1, 100) AS i;
CREATE INDEX pins_l ON pins USING faiss (l, season);
INSERT INTO pins SELECT i, i % 4, made(i, 40) FROM generate_series(101, 200) AS i;
INSERT INTO pins VALUES (201, 1, 'orb@1 512x512 {}'), (202, 1, NULL), (203, 3, made(7, 30, 4096)), (204, NULL, made(9, 30, 4096));
ANALYZE pins;
SELECT faiss_index_check('pins_l');
SELECT metric, kind, dimensions, lists > 1 AS is_parted, built_rows, entries, depth FROM faiss_index_info('pins_l');
SELECT reltuples FROM pg_class WHERE relname = 'pins_l';

-- The plan, and the answer. So few rows are as soon compared.
SELECT node_of('SELECT id FROM pins ORDER BY l <-> made(7, 40)');
SET enable_seqscan = off;
SELECT node_of('SELECT id FROM pins ORDER BY l <-> made(7, 40) LIMIT 2');
SELECT node_of('SELECT id FROM pins WHERE within(l, made(7, 40), 0.7)');
SELECT id, l <-> made(7, 40) < 0.7 AS same FROM pins ORDER BY l <-> made(7, 40) LIMIT 2;
SELECT id FROM pins ORDER BY made(9, 40) <-> l LIMIT 2;
SELECT id FROM pins WHERE within(l, made(7, 40), 0.7) ORDER BY id;
SELECT id FROM pins WHERE within(made(9, 40), l, 0.7) ORDER BY id;
SELECT id FROM pins WHERE within(l, made(7, 40), 0.7) ORDER BY l <-> made(7, 40) LIMIT 5;
SELECT id FROM pins WHERE within(l, made(7, 40), 0.7) ORDER BY l <-> made(9, 40) LIMIT 5;
SELECT id FROM pins WHERE within(l, made(300, 40), 0.7);
SELECT id FROM pins WHERE within(l, made(7, 40), -1);
SELECT count(*) FROM pins WHERE within(l, made(7, 40), 1);
SELECT count(*) FROM pins WHERE within(l, NULL, 1);

-- Filters in the index and outside of it.
SELECT id FROM pins WHERE season = 3 ORDER BY l <-> made(7, 40) LIMIT 2;
SELECT id FROM pins WHERE season IS NULL ORDER BY l <-> made(9, 40) LIMIT 2;
SELECT id FROM pins WHERE season IN (1, 2) AND within(l, made(9, 40), 0.7);
SELECT id FROM pins WHERE id > 200 ORDER BY l <-> made(7, 40) LIMIT 1;
SELECT id FROM pins WHERE season = 3 AND id > 100 AND within(l, made(7, 40), 0.7);

-- Every row comes, once, those without a value last; LIMIT is filled.
SET enable_sort = off;
SELECT node_of('SELECT id FROM pins ORDER BY l <-> made(7, 40) LIMIT 1000');
SELECT count(*), count(DISTINCT id), (array_agg(id))[1:2] AS first, (array_agg(id))[204] AS last
  FROM (SELECT id FROM pins ORDER BY l <-> made(7, 40) LIMIT 1000) AS x;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM pins WHERE season = 1 ORDER BY l <-> made(7, 40) LIMIT 1000) AS x;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM pins ORDER BY l <-> 'orb@1 512x512 {}' LIMIT 1000) AS x;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM pins ORDER BY l <-> NULL LIMIT 1000) AS x;
SELECT id FROM pins WHERE l IS NULL ORDER BY l <-> made(7, 40) LIMIT 5;
SELECT count(*) FROM (SELECT id FROM pins WHERE l IS NOT NULL ORDER BY l <-> made(7, 40) LIMIT 1000) AS x;
RESET enable_sort;

-- In the order of their distances, and the same as without the index.
CREATE TABLE alike AS SELECT i AS id, made(1, 20 + i) AS l FROM generate_series(1, 300) AS i;
CREATE INDEX alike_l ON alike USING faiss (l);
ANALYZE alike;
CREATE FUNCTION answer(recall float8) RETURNS TABLE (rank bigint, id int, d float8) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('lookalike.recall', recall::text, true);
    RETURN QUERY SELECT row_number() OVER (), x.* FROM (SELECT alike.id, l <-> made(1, 100) FROM alike ORDER BY l <-> made(1, 100) LIMIT 20) AS x;
END $$;
SELECT node_of('SELECT id FROM alike ORDER BY l <-> made(1, 100) LIMIT 20');
SELECT r, bool_and(i.d = e.d) AS is_nearest
  FROM unnest('{0.5,0.9,0.95,0.99,1}'::float8[]) AS r, answer(r) AS i,
       (SELECT row_number() OVER (ORDER BY l <-> made(1, 100)) AS rank, l <-> made(1, 100) AS d FROM alike) AS e
 WHERE i.rank = e.rank GROUP BY r ORDER BY r;
-- One that is like so many others goes on until nothing like it is left.
SELECT count(*) FROM alike WHERE within(l, made(1, 100), 0.7);
SET enable_indexscan = off;
SELECT count(*) FROM alike WHERE within(l, made(1, 100), 0.7);
RESET enable_indexscan;

-- Filters hold also where every row is compared.
ALTER TABLE alike ADD COLUMN n int;
UPDATE alike SET n = id % 3;
CREATE INDEX alike_n ON alike USING faiss (l, n);
DROP INDEX alike_l;
SELECT node_of('SELECT id FROM alike WHERE n = 2 ORDER BY l <-> made(1, 100) LIMIT 300');
SELECT r, count(*), min(n), max(n) FROM unnest('{0.95,1}'::float8[]) AS r, LATERAL (SELECT set_config('lookalike.recall', r::text, false) OFFSET 0) AS s,
    LATERAL (SELECT * FROM alike WHERE n = 2 AND s IS NOT NULL ORDER BY l <-> made(1, 100) LIMIT 300) AS x GROUP BY r ORDER BY r;
SET lookalike.recall = 1;
SELECT count(*), min(n), max(n) FROM alike WHERE n = 2 AND within(l, made(1, 100), 0.7);
RESET lookalike.recall;
CREATE INDEX alike_l ON alike USING faiss (l);
DROP INDEX alike_n;
-- All are equal, and more than there is memory for: still all of them, and no others.
CREATE TABLE equal AS SELECT i AS id, i % 2 AS n, made(5, 150) AS l FROM generate_series(1, 700) AS i;
CREATE INDEX equal_l ON equal USING faiss (l, n);
SET work_mem = '64kB';
SELECT count(*), count(DISTINCT id), max(n) FROM equal WHERE n = 0 AND within(l, made(5, 150), 0.7);
SELECT count(*), count(DISTINCT id), max(n) FROM (SELECT * FROM equal WHERE n = 0 ORDER BY l <-> made(5, 150) LIMIT 1000) AS x;
RESET work_mem;
DROP TABLE equal;

-- One kind.
INSERT INTO pins VALUES (300, 1, made(1, 10, 0, 'sift'));
INSERT INTO pins VALUES (300, 1, 'sift@1 1x1 {}');
SELECT id FROM pins ORDER BY l <-> made(1, 40, 0, 'sift') LIMIT 1;
CREATE TABLE kinds (id int, l local_features);
CREATE INDEX kinds_l ON kinds USING faiss (l);
SELECT kind, dimensions, entries FROM faiss_index_info('kinds_l');
SELECT id FROM kinds ORDER BY l <-> made(1, 40) LIMIT 1;
INSERT INTO kinds VALUES (1, NULL), (2, made(1, 40, 0, 'sift'));
SELECT kind, dimensions, entries FROM faiss_index_info('kinds_l');
SELECT id FROM kinds ORDER BY l <-> made(1, 40) LIMIT 1;
SELECT id FROM kinds ORDER BY l <-> made(1, 40, 0, 'sift') LIMIT 1;
INSERT INTO kinds VALUES (3, made(1, 10));
SELECT faiss_index_check('kinds_l');
DROP INDEX kinds_l;
INSERT INTO kinds VALUES (3, made(1, 10));
CREATE INDEX ON kinds USING faiss (l);
CREATE INDEX kinds_orb ON kinds USING faiss (l) WHERE kind(l) = 'orb';
CREATE INDEX kinds_sift ON kinds USING faiss (l) WHERE kind(l) = 'sift';
SELECT faiss_index_check('kinds_orb'), faiss_index_check('kinds_sift');
DROP TABLE kinds;

-- Deleted, updated, vacuumed, built anew.
DELETE FROM pins WHERE id % 3 = 0;
UPDATE pins SET l = made(1000 + id, 50) WHERE id % 5 = 0;
UPDATE pins SET l = 'orb@1 512x512 {}' WHERE id = 203;
VACUUM pins;
SELECT faiss_index_check('pins_l');
SELECT id FROM pins WHERE within(l, made(9, 40), 0.7);
SELECT id FROM pins WHERE within(l, made(1100, 50), 0.7);
SELECT id FROM pins WHERE within(l, made(7, 40), 0.7);
SELECT entries = (SELECT sum(feature_count(l) + 1) FROM pins) + 1 AS entries FROM faiss_index_info('pins_l');
REINDEX INDEX pins_l;
SELECT faiss_index_check('pins_l');
REINDEX INDEX CONCURRENTLY pins_l;
SELECT faiss_index_check('pins_l');
SELECT id FROM pins WHERE within(l, made(1100, 50), 0.7);
TRUNCATE pins;
SELECT faiss_index_check('pins_l');
INSERT INTO pins VALUES (1, 1, made(1, 40));
SELECT id FROM pins ORDER BY l <-> made(1, 40) LIMIT 1;

-- What an index tells of itself.
SELECT k, queries, recall, recall_min FROM faiss_index_recall('alike_l', 10, 5);
SELECT faiss_index_calibrate('alike_l');
CREATE TABLE few AS SELECT * FROM alike WHERE id <= 40;
CREATE INDEX few_l ON few USING faiss (l);
SELECT count(*) = (SELECT count(*) FROM few AS a, few AS b WHERE a.id < b.id AND (a.l <-> b.l) <= 0.6) AS pairs FROM faiss_duplicates('few_l', 0.6);
SELECT faiss_expected_rows('alike_l', 0.5);
SELECT amvalidate(oid) FROM pg_opclass WHERE opcname = 'local_features_ops';

-- Row-level security: a filter of the index is the policy, and an estimate tells nothing of hidden rows.
CREATE ROLE local_index_tenant;
CREATE TABLE guarded (id int, tenant int, l local_features);
INSERT INTO guarded SELECT i, i % 2, made(5, 40) FROM generate_series(1, 40) AS i;
CREATE INDEX guarded_l ON guarded USING faiss (l, tenant);
ANALYZE guarded;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON guarded USING (tenant = 1);
GRANT SELECT ON guarded TO local_index_tenant;
SELECT rows, bytes FROM faiss_index_estimate('guarded', 'l');
SET ROLE local_index_tenant;
SELECT rows, bytes FROM faiss_index_estimate('guarded', 'l');
SELECT r, count(*), min(tenant) FROM unnest('{0.95,1}'::float8[]) AS r, LATERAL (SELECT set_config('lookalike.recall', r::text, false) OFFSET 0) AS s,
    LATERAL (SELECT * FROM guarded WHERE s IS NOT NULL ORDER BY l <-> made(5, 40) LIMIT 30) AS x GROUP BY r ORDER BY r;
RESET lookalike.recall;
RESET ROLE;
DROP TABLE guarded;
DROP ROLE local_index_tenant;

-- Classes that somebody made.
CREATE OPERATOR CLASS of_numbers FOR TYPE int4 USING faiss AS FUNCTION 1 faiss_local_features_class();
CREATE OPERATOR CLASS of_more_numbers FOR TYPE float8 USING faiss AS FUNCTION 1 faiss_l2_metric();
CREATE OPERATOR CLASS without_distance FOR TYPE local_features USING faiss AS OPERATOR 2 <@-> (local_features, local_features_sphere), FUNCTION 1 faiss_local_features_class();
CREATE OPERATOR CLASS of_texts FOR TYPE text USING faiss AS FUNCTION 1 faiss_local_features_class();
CREATE TABLE made_of (i int4, f float8, l local_features, t text);
INSERT INTO made_of VALUES (1, 2, made(1, 40), 'three');
CREATE INDEX ON made_of USING faiss (i of_numbers);
CREATE INDEX ON made_of USING faiss (f of_more_numbers);
CREATE INDEX ON made_of USING faiss (t of_texts);
CREATE INDEX ON made_of USING faiss (l without_distance);
SELECT count(*) FROM made_of WHERE within(l, made(1, 40), 0.7);
SELECT amvalidate(oid) FROM pg_opclass WHERE opcname = 'without_distance';
DROP TABLE made_of;
DROP OPERATOR FAMILY of_numbers USING faiss;
DROP OPERATOR FAMILY of_more_numbers USING faiss;
DROP OPERATOR FAMILY without_distance USING faiss;
DROP OPERATOR FAMILY of_texts USING faiss;

-- Two of them in one index, and a sphere of its own.
CREATE INDEX ON pins USING faiss (season, l);
CREATE INDEX ON pins USING faiss (l, l);
SELECT l <@-> local_features_sphere(made(1, 40), 0.5) AS within FROM pins;
SELECT l <@-> NULL, l <@-> (NULL, 0.5)::local_features_sphere AS within FROM pins;
SELECT local_features_sphere(made(1, 40), 'NaN');
SELECT local_features_sphere(made(1, 40), NULL) IS NULL AS is_null;

-- Unlogged, temporary, partitioned.
CREATE UNLOGGED TABLE unlogged AS SELECT i AS id, made(i, 40) AS l FROM generate_series(1, 20) AS i;
CREATE INDEX unlogged_l ON unlogged USING faiss (l);
CREATE TEMPORARY TABLE temporary AS SELECT i AS id, made(i, 40) AS l FROM generate_series(1, 20) AS i;
CREATE INDEX temporary_l ON temporary USING faiss (l);
INSERT INTO temporary SELECT i, made(i, 40) FROM generate_series(21, 400) AS i;
CREATE TABLE parted (id int, l local_features) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (1000);
CREATE INDEX ON parted USING faiss (l);
INSERT INTO parted SELECT i, made(i, 40) FROM generate_series(1, 20) AS i;
SELECT faiss_index_check('unlogged_l'), faiss_index_check('temporary_l'), faiss_index_check('parted_2_l_idx');
SELECT id FROM unlogged ORDER BY l <-> made(3, 40) LIMIT 1;
SELECT id FROM temporary ORDER BY l <-> made(333, 40) LIMIT 1;
SELECT id FROM parted ORDER BY l <-> made(3, 40) LIMIT 1;
SELECT id FROM parted WHERE within(l, made(13, 40), 0.7);
DROP TABLE pins, alike, few, unlogged, temporary, parted;
DROP FUNCTION answer, node_of, made;
