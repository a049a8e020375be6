-- Filter attributes: further columns of an index, tested inside it before any distance.
SET client_min_messages = warning;
SET jit = off;
SET lookalike.recall = 1;
CREATE TYPE mood AS ENUM ('calm', 'loud', 'plain');
CREATE TABLE designs (
    id int, features descriptor(8), season text, quality varchar(3), code char(4), mood mood, n int,
    small smallint, big bigint, ratio real, exact double precision, price numeric, made date,
    at timestamp, seen timestamptz, key uuid, active bool, gap int);
INSERT INTO designs
SELECT i, ('[' || (SELECT string_agg(((i * (j * 7 + 3)) % 101)::text, ',') FROM generate_series(1, 8) j) || ']')::descriptor,
       'S' || i % 5, 'Q' || i % 3, 'c' || i % 4, (ARRAY['calm', 'loud', 'plain'])[1 + i % 3]::mood,
       i % 100, (i % 50 - 25), i::bigint * 10000000000, (i % 40) / 4.0 - 5, (i % 64) / 8.0 - 4,
       (i % 200) / 10.0, date '2026-01-01' + i % 90, timestamp '2026-01-01' + i * interval '1 min',
       timestamptz '2026-01-01 00:00+00' + i * interval '1 hour',
       ('00000000-0000-0000-0000-' || lpad((i % 1000)::text, 12, '0'))::uuid, i % 7 = 0,
       CASE WHEN i % 11 = 0 THEN NULL ELSE i END
FROM generate_series(1, 4000) i;
INSERT INTO designs (id, season, n) SELECT 5000 + i, 'S1', i FROM generate_series(1, 5) i;
INSERT INTO designs (id, features, ratio, exact, price)
VALUES (6001, '[0,0,0,0,0,0,0,0]', 'NaN', 'NaN', 'NaN'), (6002, '[0,0,0,0,0,0,0,1]', '-0', '-0', 1.0),
       (6003, '[0,0,0,0,0,0,1,0]', 0, 0, 1.00), (6004, '[0,0,0,0,0,1,0,0]', 'Infinity', '-Infinity', NULL);
CREATE INDEX designs_a ON designs USING faiss (features, season, quality, code, mood, n, small, big, ratio) WITH (lists = 20);
ANALYZE designs;

-- The rows that a condition lets through, by the index and by the table; and what the index sees.
CREATE FUNCTION compare(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    by_index int[];
    by_table int[];
    line text;
    seen text := 'not in the index';
    query text := 'SELECT id FROM designs WHERE ' || condition
                  || ' ORDER BY features <-> ''[1,2,3,4,5,6,7,8]''';
BEGIN
    SET LOCAL enable_seqscan = off;
    SET LOCAL enable_sort = off;
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line ~ 'Index Cond|Filter' THEN seen := trim(line); END IF;
    END LOOP;
    EXECUTE 'SELECT array_agg(id ORDER BY id) FROM (' || query || ') x' INTO by_index;
    SET LOCAL enable_seqscan = on;
    SET LOCAL enable_sort = on;
    SET LOCAL enable_indexscan = off;
    EXECUTE 'SELECT array_agg(id ORDER BY id) FROM designs WHERE ' || condition INTO by_table;
    SET LOCAL enable_indexscan = on;
    RETURN CASE WHEN by_index IS NOT DISTINCT FROM by_table THEN 'same' ELSE 'DIFFERENT' END
           || ' ' || coalesce(cardinality(by_table), 0) || ' | ' || seen;
END $$;
SELECT c, compare(c) FROM unnest(ARRAY[
    'season = ''S2''', 'season IN (''S2'', ''S4'', NULL)', 'season > ''S3''', 'season IS NULL', 'season <> ''S1''',
    'quality = ''Q1''', 'quality IN (''Q0'', ''Q2'')', 'code = ''c1''', 'code = ''c1  ''',
    'mood = ''loud''', 'mood IN (''calm'', ''plain'')', 'mood > ''calm''', 'mood <= ''loud''',
    'n = 7', 'n < 3', 'n <= 3', 'n >= 98', 'n > 98', 'n BETWEEN 10 AND 12', 'n IN (1, 2, 3, 50, 60, 70, 80, 90, 95, 97)',
    'n = 7::bigint', 'n = ANY (ARRAY[7, 8]::bigint[])', 'n > 99999999999', 'n < 99999999999', 'n > 5 AND n < 8 AND season = ''S1''',
    'n IN (5, 6) AND n IN (5, 7)', 'n < 1 OR n = 6', 'n IS NOT NULL AND n < 2',
    'small = -25', 'small < -20::int', 'small = 40000', 'small > -40000', 'big = 10000000000', 'big < 30000000000', 'big = 1', 'big > 5::smallint',
    'ratio = -5', 'ratio < -4.5::real', 'ratio = 0.25', 'ratio > 4.7', 'ratio = ''NaN''', 'ratio = 0', 'ratio = ''Infinity''', 'ratio >= 0.1 AND ratio <= 0.3',
    'features IS NULL', 'features IS NOT NULL AND n < 2', 'features IS NULL AND n = 3'
]) c;

DROP INDEX designs_a;
CREATE INDEX designs_b ON designs USING faiss (features, exact, price, made, at, seen, key, active, gap) WITH (lists = 20);
SELECT c, compare(c) FROM unnest(ARRAY[
    'exact = 0', 'exact < -3.8', 'exact = ''NaN''', 'exact > 3.8', 'exact = 0.125::real',
    'price = 1', 'price = 1.00', 'price < 0.2', 'price > 19.85', 'price = ''NaN''', 'price IN (0.1, 0.2)',
    'made = ''2026-01-05''', 'made > ''2026-03-30''', 'made > timestamp ''2026-03-30''', 'made > (timestamp ''2026-03-30'')::date', 'at < ''2026-01-01 00:05''', 'at = ''2026-01-01 00:05''',
    'seen < ''2026-01-01 03:00+00''', 'key = ''00000000-0000-0000-0000-000000000005''', 'key < ''00000000-0000-0000-0000-000000000005''',
    'active', 'NOT active', 'active IS TRUE', 'active IS FALSE', 'active IS NOT TRUE', 'active = false',
    'gap IS NULL', 'gap IS NOT NULL', 'gap < 12'
]) c;
DROP FUNCTION compare;
SELECT faiss_index_check('designs_b');
DROP INDEX designs_b;
CREATE INDEX ON designs USING faiss (features, season, n) WITH (lists = 20);

-- A condition that only the query's start knows.
SET enable_seqscan = off;
PREPARE nearest(text, int[]) AS SELECT id FROM designs WHERE season = $1 AND n = ANY ($2)
    ORDER BY features <-> '[1,2,3,4,5,6,7,8]' LIMIT 3;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE nearest('S1', '{1,6}');
EXECUTE nearest('S1', '{1,6}');
EXECUTE nearest(NULL, '{1,6}');
EXECUTE nearest('S1', NULL);
EXPLAIN (COSTS OFF) SELECT x.n, y.id FROM (VALUES (3), (4)) x(n), LATERAL
    (SELECT id FROM designs d WHERE d.n = x.n ORDER BY features <-> '[1,2,3,4,5,6,7,8]' LIMIT 1) y;

-- Changed attributes.
UPDATE designs SET season = 'new' WHERE id IN (17, 18);
SELECT id FROM designs WHERE season = 'new' ORDER BY features <-> '[1,2,3,4,5,6,7,8]';
VACUUM designs;
SELECT faiss_index_check('designs_features_season_n_idx');
SELECT count(*) FROM (SELECT id FROM designs WHERE season = 'S2' ORDER BY features <-> '[1,2,3,4,5,6,7,8]') x;

-- Mistakes.
CREATE INDEX ON designs USING faiss (season, features);
CREATE INDEX ON designs USING faiss (features, features);
CREATE TABLE odd (f descriptor(2), j jsonb, p point);
CREATE INDEX ON odd USING faiss (f, j);
CREATE INDEX ON odd USING faiss (f, p);
CREATE INDEX ON designs USING faiss (features, id, season, quality, code, mood, n, small, big, ratio);
DROP TABLE designs, odd;
DROP TYPE mood;
