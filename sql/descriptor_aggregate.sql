CREATE TABLE samples (id integer, v descriptor(2), h descriptor(2, half));
INSERT INTO samples VALUES (1, '[1,2]', '[1,2]'), (2, '[3,6]', '[3,6]'), (3, NULL, NULL),
    (4, '[-1,1]', '[-1,1]');
SELECT sum(v), avg(v), descriptor_kind(sum(v)), descriptor_kind(avg(v)) FROM samples;
-- Half stays half; a single real makes the result real.
SELECT sum(h), avg(h), descriptor_kind(sum(h)), descriptor_kind(avg(h)) FROM samples;
SELECT r, descriptor_kind(r) FROM (SELECT sum(CASE WHEN id = 2 THEN v::descriptor ELSE h END) AS r
    FROM samples) AS mixed;
SELECT sum(v), avg(v) FROM samples WHERE id = 3;
SELECT sum(v), avg(v) FROM samples WHERE false;
SELECT id % 2 AS odd, sum(v), avg(v) FROM samples GROUP BY 1 ORDER BY 1;
SELECT id, sum(v) OVER (ORDER BY id), avg(v) OVER (ORDER BY id ROWS 1 PRECEDING)
    FROM samples ORDER BY id;
SELECT sum(DISTINCT v), avg(v) FILTER (WHERE id > 1) FROM samples;
DROP TABLE samples;

-- The sums are kept in double precision.
SELECT sum(v), avg(v) FROM (VALUES ('[16777216]'::descriptor), ('[1]'), ('[1]')) AS t (v);
SELECT avg(v) FROM (VALUES ('[3e38]'::descriptor), ('[3e38]')) AS t (v);
SELECT sum(v) FROM (VALUES ('[3e38]'::descriptor), ('[3e38]')) AS t (v);
SELECT avg(v) FROM (VALUES ('[60000]'::descriptor(1, half)), ('[60000]')) AS t (v);
SELECT sum(v) FROM (VALUES ('[60000]'::descriptor(1, half)),
    ('[60000]'::descriptor(1, half))) AS t (v);
SELECT sum(v) FROM (VALUES ('[1]'::descriptor), ('[1,2]')) AS t (v);
SELECT avg(v) FROM (VALUES ('b1'::descriptor)) AS t (v);

-- In parallel.
CREATE TABLE large (v descriptor(3), h descriptor(3, half)) WITH (parallel_workers = 2);
INSERT INTO large SELECT ARRAY[i, 1, -i], ARRAY[i % 2, 1, 0] FROM generate_series(1, 20000) i;
INSERT INTO large VALUES (NULL, NULL);
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT sum(v), avg(v), sum(h), avg(h) FROM large;
SELECT sum(v), avg(v), sum(h), avg(h), descriptor_kind(sum(h)) FROM large;
SELECT sum(v), avg(v) FROM large WHERE v IS NULL;
EXPLAIN (COSTS OFF) SELECT count(*) FROM large WHERE v <-> '[0,1,0]' < 5;
SELECT count(*) FROM large WHERE v <-> '[0,1,0]' < 5;
RESET ALL;
DROP TABLE large;

-- States made by hand are refused, or give a result without harm.
SELECT descriptor_avg('{}');
SELECT descriptor_avg('{1}');
SELECT descriptor_avg('{1,NULL,3}');
SELECT descriptor_avg('{{1,1,3},{1,1,3}}');
SELECT descriptor_avg(array_fill(1, ARRAY[16003])::double precision[]);
SELECT descriptor_avg('{1,1}');
SELECT descriptor_avg('{1,1,NaN}');
SELECT descriptor_avg('{1,0,NaN}');
SELECT descriptor_sum('{1,0,Infinity}');
SELECT descriptor_avg('{NaN,0,1}') IS NULL AS no_rows,
    descriptor_avg('{-1,0,1}') IS NULL AS negative,
    descriptor_avg('{Infinity,0,1}');
SELECT descriptor_combine('{0,1}', '{5,1}');
SELECT descriptor_combine('{1,0,1,2}', '{1,0,1}');
SELECT descriptor_combine('[3:5]={1,0,1}', '[-5:-3]={1,1,2}');
SELECT descriptor_accum('{0,1}', '[1,2]'), descriptor_accum('{1,1,5}', '[1]');
SELECT descriptor_accum('{1,1,5}', '[1,2]');
-- A state that belongs to someone else is not changed.
DO $$
DECLARE
    state double precision[] := '{1,1,5}';
BEGIN
    PERFORM descriptor_accum(state, '[1]'), descriptor_combine(state, state);
    RAISE NOTICE '%', state;
END $$;
