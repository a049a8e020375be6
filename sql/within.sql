-- Rows within a radius, through an index.
SET extra_float_digits = 0;
SET jit = off;
CREATE TABLE t (id int PRIMARY KEY, kind int, flag bool, d descriptor(64));
CREATE FUNCTION place(i int) RETURNS descriptor LANGUAGE plpgsql STABLE
    AS $$ BEGIN RETURN (ARRAY[i, i % 7] || array_fill(0, ARRAY[62]))::real[]::descriptor; END $$;
INSERT INTO t SELECT i, i % 3, i % 2 = 0, place(i) FROM generate_series(1, 12000) AS i;
INSERT INTO t VALUES (0, 0, true, NULL);
CREATE INDEX t_d ON t USING faiss (d, kind, flag);
ANALYZE t;

-- Forms that the index serves.
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE within(d, place(100), 3);
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE within(place(100), d, 3);
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE d <@-> descriptor_sphere(place(100), 3);
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE within(d, place(100), 3) ORDER BY d <-> place(100);
EXPLAIN (COSTS OFF) SELECT id FROM t
    WHERE within(d, place(100), 3) ORDER BY d <-> place(100) LIMIT 3;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE within(d, place(100), 3) AND kind IN (1, 2) AND flag;
EXPLAIN (COSTS OFF) SELECT id FROM t
    WHERE within(d, place(100), 9) AND within(d, place(101), 3) AND kind = 1;
EXPLAIN (COSTS OFF) SELECT a.id, b.id FROM t AS a JOIN t AS b ON within(b.d, a.d, 3)
    WHERE a.id < 10;
EXPLAIN (COSTS OFF) SELECT a.id, near.id FROM t AS a,
    LATERAL (SELECT id FROM t WHERE within(t.d, a.d, 3) ORDER BY t.d <-> a.d LIMIT 2) AS near
    WHERE a.id < 10;
PREPARE near (descriptor, float8) AS SELECT id FROM t WHERE within(d, $1, $2) ORDER BY id;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE near (place(100), 3);
EXECUTE near (place(100), 3);
EXECUTE near (place(200), 1.5);
EXECUTE near (NULL, 3);
EXECUTE near (place(100), NULL);
EXECUTE near (place(100), -1);
EXECUTE near (place(100), 0);
EXECUTE near (place(100), 'NaN');
EXECUTE near ('[1,2]', 3);
EXECUTE near ('b1010', 3);
RESET plan_cache_mode;

-- Forms that it does not serve: another distance, a sphere that moves with the row, and a comparison
-- of the distance, which names no place to search around.
SET seq_page_cost = 1000000;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE within_cosine(d, place(100), 0.1);
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE within(d, place(100), id);
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE within(d, d + place(1), 3);
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE within(d, place(100), 3 + random());
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE NOT within(d, place(100), 3);
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE d <-> place(100) <= 3;
-- What a function is called does not count, and what the extension has no code for is no condition.
BEGIN;
ALTER FUNCTION within(descriptor, descriptor, float8) RENAME TO within_l2;
ALTER FUNCTION within_cosine(descriptor, descriptor, float8) RENAME TO within;
CREATE FUNCTION within_any(descriptor, descriptor, float8) RETURNS boolean LANGUAGE plpgsql
    IMMUTABLE SUPPORT within_support AS 'BEGIN RETURN true; END';
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE within_l2(d, place(100), 3);
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE within(d, place(100), 0.1);
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE within_any(d, place(100), 3);
ROLLBACK;
RESET seq_page_cost;

-- The planner counts with the histogram: a large sphere is read from the table.
SELECT place(6050) AS center \gset
CREATE FUNCTION planned_rows(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
    RETURN (plan -> 0 -> 'Plan' ->> 'Node Type') || ' of about '
        || round((plan -> 0 -> 'Plan' ->> 'Plan Rows')::numeric, -3);
END $$;
SELECT planned_rows(format('SELECT id FROM t WHERE within(d, %L, %s)', :'center', radius)) AS plan
    FROM unnest(ARRAY[1, 3000, 100000]) AS radius;
SELECT planned_rows(format('SELECT id FROM t WHERE within(%L, d, %s)', :'center', 3000)) AS plan;
-- What has other dimensions in the statistics harms no plan.
CREATE TABLE mixed (d descriptor);
INSERT INTO mixed SELECT CASE i % 3 WHEN 0 THEN '[1,2]' WHEN 1 THEN 'b101' ELSE '[1,2,3]' END::descriptor
    FROM generate_series(1, 300) AS i;
INSERT INTO mixed SELECT ARRAY[i, 0]::real[]::descriptor FROM generate_series(1, 300) AS i;
ANALYZE mixed;
CREATE INDEX ON mixed USING faiss (d) WHERE descriptor_dims(d) = 2;
SET enable_seqscan = off;
SELECT count(*) FROM mixed WHERE descriptor_dims(d) = 2 AND within(d, '[1,2]', 0);
RESET enable_seqscan;
DROP TABLE mixed;

-- For plans that nobody looks at.
CREATE FUNCTION fixed(i int) RETURNS descriptor LANGUAGE plpgsql IMMUTABLE
    AS $$ BEGIN RETURN place(i); END $$;
-- The same rows as without the index, with and without an order, for every kind of condition.
SET lookalike.recall = 1;
CREATE FUNCTION same(of text, VARIADIC conditions text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    condition text;
    by_index int[];
    by_table int[];
    plan text;
    line text;
BEGIN
    FOREACH condition IN ARRAY conditions LOOP
        SET LOCAL enable_indexscan = off;
        SET LOCAL enable_seqscan = on;
        EXECUTE format('SELECT array_agg(id ORDER BY id) FROM (SELECT id FROM %s WHERE %s) AS x',
                       of, condition) INTO by_table;
        SET LOCAL enable_indexscan = on;
        SET LOCAL enable_seqscan = off;
        SET LOCAL enable_sort = off;
        EXECUTE format('SELECT array_agg(id ORDER BY id) FROM (SELECT id FROM %s WHERE %s OFFSET 0) AS x',
                       of, condition) INTO by_index;
        plan := 'other plan';
        FOR line IN EXECUTE format('EXPLAIN SELECT id FROM %s WHERE %s', of, condition) LOOP
            IF line LIKE '%Index Cond: %<@%' THEN plan := 'index'; END IF;
        END LOOP;
        RETURN NEXT concat_ws(', ', condition, plan, coalesce(array_length(by_table, 1), 0),
            CASE WHEN by_index IS NOT DISTINCT FROM by_table THEN 'same' ELSE 'DIFFERENT' END);
    END LOOP;
END $$;
SELECT same('t', 'within(d, fixed(100), 0)', 'within(d, fixed(100), 3)',
    'within(d, fixed(100), 500)', $$within(d, fixed(100), 'infinity')$$,
    'within(d, fixed(100), -1)', 'within(fixed(100), d, 20) AND kind = 1',
    'within(d, fixed(100), 20) AND kind IN (0, 2) AND NOT flag',
    'within(d, fixed(100), 20) AND id % 2 = 0',
    'within(d, fixed(100), 20) AND within(d, fixed(110), 15)',
    'within(d, fixed(100), 20) AND within(d, fixed(300), 20)',
    'within(d, fixed(100), 20) AND d IS NULL',
    'within(d, fixed(100), 20) AND d IS NOT NULL',
    'within(d, fixed(100), 20) ORDER BY d <-> fixed(100)',
    'within(d, fixed(100), 20) ORDER BY d <-> fixed(115)',
    'within(d, fixed(100), 20) ORDER BY d <-> NULL');
SELECT array_agg(id) FROM (SELECT id FROM t WHERE within(d, place(100), 4) ORDER BY d <-> place(100)) AS x;
SET enable_sort = off;
SELECT array_agg(id) FROM (SELECT id FROM t WHERE within(d, place(100), 5) ORDER BY d <-> place(90) LIMIT 3) AS x;
RESET enable_sort;
SELECT count(*) FROM t AS a JOIN t AS b ON within(b.d, a.d, 3) WHERE a.id < 100;
SELECT count(*) FROM t AS a JOIN t AS b ON a.d <-> b.d <= 3 WHERE a.id < 100;

-- Every metric, on one list and on several, with and without refine codes.
CREATE TABLE m (id int, d descriptor, b descriptor);
INSERT INTO m SELECT i,
    (SELECT array_agg(hashint4(i * 100 + dim) % 500 / 1000.0)::real[]::descriptor
       FROM generate_series(1, 16) AS dim),
    (SELECT ('b' || string_agg((abs(hashint4(i * 100 + dim) % 10) < 3)::int::text, ''))::descriptor
       FROM generate_series(1, 64) AS dim)
  FROM generate_series(1, 2000) AS i;
INSERT INTO m SELECT 2001, array_fill(0, ARRAY[16])::real[]::descriptor, NULL;
INSERT INTO m SELECT 2002, NULL, ('b' || repeat('0', 64))::descriptor;
CREATE FUNCTION same_by_class(VARIADIC options text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    option text;
    class text;
    conditions text[];
    answer text;
BEGIN
    FOREACH option IN ARRAY options LOOP
        FOR class, conditions IN VALUES
            ('d descriptor_l2_ops', '{"within(d, (SELECT d FROM m WHERE id = 7), 0.9)", "within(d, (SELECT d FROM m WHERE id = 2001), 0.9)"}'::text[]),
            ('d descriptor_ip_ops', '{"within_ip(d, (SELECT d FROM m WHERE id = 7), -0.3)", "within_ip(d, (SELECT d FROM m WHERE id = 7), 0.2)"}'),
            ('d descriptor_cosine_ops', '{"within_cosine(d, (SELECT d FROM m WHERE id = 7), 0.4)", "within_cosine(d, (SELECT d FROM m WHERE id = 2001), 2)", "within_cosine(d, (SELECT d FROM m WHERE id = 7), 2)"}'),
            ('b descriptor_hamming_ops', '{"within_hamming(b, (SELECT b FROM m WHERE id = 7), 20)", "within_hamming(b, (SELECT b FROM m WHERE id = 7), 0.5)"}'),
            ('b descriptor_jaccard_ops', '{"within_jaccard(b, (SELECT b FROM m WHERE id = 7), 0.7)", "within_jaccard(b, (SELECT b FROM m WHERE id = 7), 1)"}')
        LOOP
            EXECUTE format('CREATE INDEX m_index ON m USING faiss (%s) WITH (%s)', class, option);
            FOR answer IN SELECT same('m', VARIADIC conditions) LOOP
                RETURN NEXT option || ': ' || answer;
            END LOOP;
            DROP INDEX m_index;
        END LOOP;
    END LOOP;
END $$;
SELECT same_by_class('lists = 1', 'lists = 20', 'lists = 20, refine = none');
RESET lookalike.recall;

-- A sphere is a value of its own; one with a part missing holds nothing.
SELECT descriptor_sphere('[1,2]', 0.5), (descriptor_sphere('[1,2]', 0.5)).radius;
SELECT descriptor_sphere('[1,2]', 'NaN');
SELECT '[1,2]'::descriptor <@-> '("[1,2]",NaN)'::descriptor_sphere;
SELECT '[1,2]'::descriptor <@-> ROW(NULL, 1)::descriptor_sphere AS l2,
    '[1,2]'::descriptor <@-> ROW('[1,2]', NULL)::descriptor_sphere AS no_radius,
    '[1,2]'::descriptor <@#> '("[1,2]",-5)' AS ip, '[1,2]'::descriptor <@=> '("[2,4]",0.001)' AS cosine,
    'xf0'::descriptor <@~> '(x00,4)' AS hamming, 'xf0'::descriptor <@%> '(xff,0.5)' AS jaccard;
SELECT within('[0,0]'::descriptor, '[3,4]', 5) AS "at", within('[0,0]'::descriptor, '[3,4]', 4.99) AS beyond,
    within('[0,0]'::descriptor, '[3,4]', -1) AS negative, within('[0,0]'::descriptor, NULL, 1) AS "null",
    within_cosine('[0,0]', '[3,4]', 2) AS no_direction, within_ip('[1,2]', '[3,4]', -11) AS ip;
SELECT within('[0,0]'::descriptor, '[3,4]', 'NaN');
SELECT within('[0,0]'::descriptor, '[3,4,5]', 1);
SELECT within('x00'::descriptor, 'x00', 1);
SELECT within_hamming('[0]', '[0]', 1);
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE d <@-> '("[1,2]",1)';
SELECT id FROM t WHERE d <@-> ROW(NULL, 1)::descriptor_sphere;
SELECT id FROM t WHERE d <@-> ROW(place(3), NULL)::descriptor_sphere;
SELECT id FROM t WHERE d <@-> '("[1,2]",1)';
RESET enable_seqscan;

-- Partitions.
CREATE TABLE p (id int, d descriptor(64)) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (6001);
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (6001) TO (20000);
INSERT INTO p SELECT id, d FROM t;
CREATE INDEX p_d ON p USING faiss (d);
ANALYZE p;
EXPLAIN (COSTS OFF) SELECT id FROM p WHERE within(d, place(6000), 3);
SELECT array_agg(id ORDER BY id) FROM p WHERE within(d, place(6000), 3);

-- Pairs, each once.
CREATE TABLE few AS SELECT id, d FROM t WHERE id <= 1500;
CREATE INDEX few_d ON few USING faiss (d) WITH (lists = 10);
ANALYZE few;
SET lookalike.recall = 1;
SELECT count(*), count(*) FILTER (WHERE a < b) AS ordered, count(DISTINCT (a, b)) AS different,
    min(distance), max(distance) FROM faiss_duplicates('few_d', 1.5);
SELECT count(*) FROM few AS a JOIN few AS b ON b.id IN (a.id + 1, a.id + 2) WHERE a.d <-> b.d <= 1.5;
SELECT count(*) FROM faiss_duplicates('few_d', 1.5, max_pairs => 7);
SELECT faiss_duplicates('few_d', 1.5, -1);
SELECT (faiss_duplicates('few_d', 1.5)).distance::real LIMIT 2;
SELECT x.id, y.id, pair.distance::real FROM faiss_duplicates('few_d', 1.5) AS pair
    JOIN few AS x ON x.ctid = pair.a JOIN few AS y ON y.ctid = pair.b ORDER BY 1 LIMIT 2;
SELECT count(*) FROM faiss_duplicates('few_d', NULL);
SELECT faiss_duplicates('few_d', 'NaN');
SELECT faiss_duplicates('p_d', 1);
SELECT faiss_duplicates('t_pkey', 1);
SELECT faiss_duplicates('t', 1);
-- Partial, on an expression, another metric; names that need quotes.
CREATE TABLE "Odd ones" ("the id" int, "a" descriptor, place text, features int);
INSERT INTO "Odd ones" SELECT i, ARRAY[i / 2, 1, 0, i]::real[]::descriptor, 'x', i % 2
    FROM generate_series(1, 40) AS i;
CREATE INDEX "Odd index" ON "Odd ones" USING faiss (subvector("a", 1, 2)) WHERE features = 0 AND place = 'x';
SELECT count(*) FROM faiss_duplicates('"Odd index"', 1);
CREATE INDEX odd_bits ON "Odd ones" USING faiss (binary_quantize("a") descriptor_hamming_ops);
SELECT count(*), min(distance), max(distance) FROM faiss_duplicates('odd_bits', 0);
SELECT count(*) FROM faiss_duplicates('odd_bits', 1);

CREATE ROLE within_reader;
SET client_min_messages = warning;
-- Policies come first, and what is not leakproof after them: an order is still the index's.
GRANT SELECT ON few TO within_reader;
ALTER TABLE few ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON few USING (id <= 40);
SET enable_seqscan = off;
SET ROLE within_reader;
EXPLAIN (COSTS OFF) SELECT id FROM few ORDER BY d <-> place(3) LIMIT 2;
RESET enable_seqscan;
EXPLAIN (COSTS OFF) SELECT id FROM few WHERE within(d, place(3), 2);
SELECT count(*) FROM few WHERE within(d, place(40), 2.5);
RESET ROLE;
RESET client_min_messages;
RESET lookalike.recall;
DROP TABLE t, p, m, few, "Odd ones";
DROP ROLE within_reader;
DROP FUNCTION place, fixed, planned_rows, same, same_by_class;
