-- What a scan finds late comes where it belongs: an answer is sorted, whatever takes it.
SET max_parallel_workers_per_gather = 0;
SET jit = off;
CREATE FUNCTION place(number int) RETURNS descriptor LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(sin(number * 12.9898 + k * k * 0.37) + sin(number % 91 * k))::real[]::descriptor
      FROM generate_series(1, 24) AS k
$$;
-- The same, by its name in plans.
CREATE FUNCTION spot(number int) RETURNS descriptor LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN place(number);
END $$;
CREATE TABLE t AS SELECT i AS id, i % 10 AS digit, i % 200 AS place, place(i) AS d
    FROM generate_series(1, 12000) AS i;
CREATE TABLE places AS SELECT i AS place, i % 2 = 0 AS open FROM generate_series(0, 199) AS i;
CREATE INDEX t_d ON t USING faiss (d, digit) WITH (lists = 150);
ANALYZE t, places;

-- Answers that are unsorted, and those with fewer rows than asked for, of 100 each. Without the sort
-- the scan gives some rows late.
CREATE FUNCTION answers(condition text, k int, OUT unsorted int, OUT too_few int) LANGUAGE plpgsql AS $$
DECLARE
    distances float8[];
BEGIN
    unsorted := 0;
    too_few := 0;
    FOR number IN 1 .. 100 LOOP
        EXECUTE format('SELECT array(SELECT t.d <-> $1 FROM t %s ORDER BY t.d <-> $1 LIMIT %s)', condition, k)
            INTO distances USING place(number * 7 + 3);
        too_few := too_few + (cardinality(distances) < k)::int;
        unsorted := unsorted
            + (distances <> (SELECT array_agg(x ORDER BY x) FROM unnest(distances) AS x))::int;
    END LOOP;
END $$;
SELECT k, (answers('', k)).* FROM unnest('{1, 2, 5, 20, 100, 1000}'::int[]) AS k;
SELECT k, (answers('WHERE digit = 3', k)).* FROM unnest('{10, 100, 1000}'::int[]) AS k;
SELECT k, (answers('WHERE place % 50 = 3', k)).* FROM unnest('{10, 200}'::int[]) AS k;
SELECT k, (answers('JOIN places USING (place) WHERE open', k)).* FROM unnest('{10, 50}'::int[]) AS k;
-- More than there are: every row, in order.
SET enable_seqscan = off;
SELECT (answers('WHERE digit = 3 AND place = 13', 61)).*;
SELECT count(*), count(DISTINCT id), bool_and(sorted) AS sorted FROM (
    SELECT id, distance >= lag(distance, 1, 0::float8) OVER (ROWS UNBOUNDED PRECEDING) AS sorted FROM (
        SELECT id, d <-> place(9) AS distance FROM t ORDER BY 2 LIMIT 100000) AS near) AS x;
RESET enable_seqscan;

-- The plan: as many rows as needed, then sorted.
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY d <-> spot(9) LIMIT 10;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY d <-> spot(9) LIMIT 1;
EXPLAIN (COSTS OFF)
    SELECT id FROM t JOIN places USING (place) WHERE open ORDER BY d <-> spot(9) LIMIT 10 OFFSET 5;
EXPLAIN (COSTS OFF) SELECT q.id, near.id FROM t AS q,
    LATERAL (SELECT id FROM t ORDER BY t.d <-> q.d LIMIT 3) AS near WHERE q.id < 4;
-- What else relies on an order gets one from elsewhere.
EXPLAIN (COSTS OFF) SELECT id, rank() OVER (ORDER BY d <-> spot(9)) FROM t LIMIT 10;
EXPLAIN (COSTS OFF) SELECT DISTINCT ON (d <-> spot(9)) id FROM t ORDER BY d <-> spot(9) LIMIT 10;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY d <-> spot(9) FETCH FIRST 10 ROWS WITH TIES;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY d <-> spot(9) LIMIT 10 FOR UPDATE;
SET enable_seqscan = off;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY d <-> spot(9);
SELECT bool_and(distance >= before) AS right_rank FROM (
    SELECT distance, lag(distance, 1, 0::float8) OVER (ORDER BY place) AS before FROM (
        SELECT d <-> place(9) AS distance, rank() OVER (ORDER BY d <-> place(9)) AS place FROM t) AS x) AS y;
RESET enable_seqscan;
RESET enable_sort;

-- A distance that is joined by: merge joins want an order that holds.
CREATE TABLE known AS SELECT id, d <-> place(9) AS distance FROM t;
CREATE INDEX ON known (distance);
ANALYZE known;
SET enable_hashjoin = off;
SET enable_nestloop = off;
EXPLAIN (COSTS OFF) SELECT t.id FROM t JOIN known ON t.d <-> spot(9) = known.distance
    ORDER BY t.d <-> spot(9) LIMIT 100;
SELECT count(*) FROM (SELECT t.id FROM t JOIN known ON t.d <-> place(9) = known.distance
    ORDER BY t.d <-> place(9) LIMIT 100) AS x;
SELECT count(*) FROM (SELECT t.id FROM t WHERE EXISTS (SELECT FROM known WHERE t.d <-> place(9) = known.distance)
    ORDER BY t.d <-> place(9) LIMIT 100) AS x;
RESET enable_hashjoin;
RESET enable_nestloop;
DROP TABLE known;

-- LIMIT and OFFSET that are not known to the planner.
SET plan_cache_mode = force_generic_plan;
PREPARE page(bigint, bigint) AS
    SELECT count(*), coalesce(bool_and(sorted), true) AS sorted FROM (
        SELECT x.distance >= lag(x.distance, 1, 0::float8) OVER (ROWS UNBOUNDED PRECEDING) AS sorted FROM (
            SELECT d <-> spot(9) AS distance FROM t ORDER BY d <-> spot(9) LIMIT $1 OFFSET $2) AS x) AS y;
EXPLAIN (COSTS OFF) EXECUTE page(5, 10);
EXECUTE page(5, 10);
EXECUTE page(0, 10);
EXECUTE page(5, NULL);
EXECUTE page(5, 9223372036854775807);
EXECUTE page(9223372036854775807, 11990);
EXECUTE page(NULL, NULL);
EXECUTE page(-1, 0);
RESET plan_cache_mode;

-- Partitions, and a search of one of them.
CREATE TABLE parted (LIKE t) PARTITION BY LIST (digit);
CREATE TABLE parted_low PARTITION OF parted FOR VALUES IN (0, 1, 2, 3, 4);
CREATE TABLE parted_high PARTITION OF parted FOR VALUES IN (5, 6, 7, 8, 9);
INSERT INTO parted SELECT * FROM t;
CREATE INDEX ON parted USING faiss (d);
ANALYZE parted;
EXPLAIN (COSTS OFF) SELECT id FROM parted ORDER BY d <-> spot(9) LIMIT 20;
SELECT count(*), bool_and(sorted) AS sorted FROM (
    SELECT x.distance >= lag(x.distance, 1, 0::float8) OVER (ROWS UNBOUNDED PRECEDING) AS sorted FROM (
        SELECT d <-> spot(9) AS distance FROM parted ORDER BY d <-> spot(9) LIMIT 200) AS x) AS y;

-- A partial index, whose predicate is no condition that removes rows.
CREATE INDEX t_digit ON t (digit);
CREATE INDEX t_some ON t USING faiss (d) WHERE digit = 7;
DROP INDEX t_d;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE digit = 7 ORDER BY d <-> spot(9) LIMIT 10;
DROP TABLE t, parted, places;
DROP FUNCTION answers, place, spot;
