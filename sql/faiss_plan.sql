-- Which forms of a query take the index.
-- Wide and many enough that reading them all costs more; neighbours by id are neighbours.
CREATE TABLE t (id int PRIMARY KEY, d descriptor(64));
CREATE FUNCTION place(i int) RETURNS descriptor LANGUAGE plpgsql STABLE
    AS $$ BEGIN RETURN (ARRAY[i, i % 7] || array_fill(0, ARRAY[62]))::real[]::descriptor; END $$;
INSERT INTO t SELECT i, place(i) FROM generate_series(1, 12000) AS i;
CREATE INDEX t_d ON t USING faiss (d);
ANALYZE t;

EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY d <-> place(1) LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY place(1) <-> d LIMIT 5;
-- Versions of PostgreSQL write the sub-select in their own ways.
DO $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF)
        SELECT id FROM t ORDER BY d <-> (SELECT d FROM t WHERE id = 3) LIMIT 5' LOOP
        IF line LIKE '%Index Scan using t_d on t' THEN RAISE NOTICE 'by the index'; END IF;
    END LOOP;
END $$;
EXPLAIN (COSTS OFF) SELECT q.id, nearest.id FROM t AS q,
    LATERAL (SELECT id FROM t ORDER BY t.d <-> q.d LIMIT 2) AS nearest WHERE q.id < 4;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE d <-> place(1) < 3 ORDER BY d <-> place(1) LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE id % 2 <> 1 ORDER BY d <-> place(1) LIMIT 5;

-- These do not. (From PostgreSQL 17 on, an incremental sort can order what the index gives.)
SET enable_incremental_sort = off;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY d <-> place(1), id LIMIT 5;
RESET enable_incremental_sort;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY d <-> place(1) DESC LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY d <#> place(1) LIMIT 5;
EXPLAIN (COSTS OFF) SELECT a.id FROM t AS a, t AS b ORDER BY a.d <-> b.d LIMIT 5;
EXPLAIN (COSTS OFF) SELECT count(*) FROM t;
SET seq_page_cost = 1000000;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE d <-> place(1) < 3;
RESET seq_page_cost;

-- A setting of a session never breaks planning.
SET lookalike.probes = 65536;
SELECT id FROM t ORDER BY d <-> place(1) LIMIT 1;
SET lookalike.recall = 1;
SELECT id FROM t ORDER BY d <-> place(1) LIMIT 1;
RESET lookalike.probes;
RESET lookalike.recall;

-- LIMIT is filled whatever WHERE leaves; OFFSET goes on where the page before ended.
SELECT id FROM t WHERE id % 4000 = 0 ORDER BY d <-> place(1) LIMIT 5;
SELECT id FROM t ORDER BY d <-> place(1) LIMIT 3;
SELECT id FROM t ORDER BY d <-> place(1) LIMIT 2 OFFSET 1;
BEGIN;
SET LOCAL enable_sort = off;
DECLARE c SCROLL CURSOR FOR SELECT id FROM t ORDER BY d <-> place(1);
FETCH 2 FROM c;
FETCH BACKWARD 1 FROM c;
FETCH 2 FROM c;
COMMIT;
PREPARE nearest (descriptor) AS SELECT id FROM t ORDER BY d <-> $1 LIMIT 1;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE nearest (place(5));
EXECUTE nearest (place(5));
-- Any one row.
EXECUTE nearest (NULL) \gset any_
SELECT count(*) FROM t WHERE id = :any_id;
SELECT q.id, nearest.id FROM t AS q,
    LATERAL (SELECT id FROM t ORDER BY t.d <-> q.d LIMIT 2) AS nearest WHERE q.id < 3;
DROP TABLE t;
DROP FUNCTION place;
