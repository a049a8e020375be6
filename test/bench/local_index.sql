-- Called by test/bench/local_index: loads what local_quality has dumped and asks the index.
\pset footer off
CREATE EXTENSION lookalike;
CREATE TABLE stored (id int PRIMARY KEY, locals local_features);
CREATE TABLE asked (no serial, kind text, source int, rank int, own float8, best float8, locals local_features);
\copy stored FROM PROGRAM 'cat "$DUMP/stored"'
\copy asked (kind, source, rank, own, best, locals) FROM PROGRAM 'cat "$DUMP/asked"'
SET maintenance_work_mem = '1GB';
CREATE TABLE times (what text, ms float8);
DO $$
DECLARE start timestamptz := clock_timestamp();
BEGIN
    CREATE INDEX stored_locals ON stored USING faiss (locals);
    INSERT INTO times VALUES ('build', 1000 * extract(epoch FROM clock_timestamp() - start));
END $$;
ANALYZE stored;
SELECT (SELECT count(*) FROM stored) AS pictures, entries, lists, list_size_max AS longest_list,
       (SELECT round(ms) FROM times) AS build_ms, round(total_bytes::numeric / entries, 1) AS bytes_a_feature
  FROM faiss_index_info('stored_locals');
SET enable_seqscan = off;
CREATE TABLE answers (recall float8, no int, rank int, best float8, ms float8, compared bigint, entries bigint);
CREATE FUNCTION ask(of_recall float8) RETURNS void LANGUAGE plpgsql AS $$
DECLARE a record; ids int[]; ds float8[]; start timestamptz; ms float8; stats record; own float8;
BEGIN
    PERFORM set_config('lookalike.recall', of_recall::text, false);
    FOR a IN SELECT * FROM asked ORDER BY no LOOP
        start := clock_timestamp();
        SELECT array_agg(id), array_agg(d) INTO ids, ds
          FROM (SELECT id, locals <-> a.locals AS d FROM stored ORDER BY locals <-> a.locals LIMIT 5) AS x;
        ms := 1000 * extract(epoch FROM clock_timestamp() - start);
        SELECT entries_refined, entries_scanned INTO stats FROM faiss_scan_stats();
        own := ds[array_position(ids, a.source)];
        INSERT INTO answers VALUES (of_recall, a.no,
            CASE WHEN own IS NULL OR own = 1 THEN 1000 ELSE (SELECT count(*) FROM unnest(ids, ds) AS u (id, d) WHERE d <= own AND id <> a.source) END,
            ds[1], ms, stats.entries_refined, stats.entries_scanned);
    END LOOP;
END $$;
SELECT ask(0.95) \g /dev/null
TRUNCATE answers;
SELECT ask(r) FROM unnest('{0.9,0.95,0.98,0.99}'::float8[]) AS r \g /dev/null
\echo 'Percent of the queries: first and in the first five, by the index and of all compared; "kept": the'
\echo 'nearest of all, up to 0.7, is found; "any": something within 0.7 is answered.'
SELECT kind, recall, count(*) AS queries,
       round(100.0 * avg((i.rank < 1)::int), 1) AS first, round(100.0 * avg((a.rank < 1 AND own < 1)::int), 1) AS first_of_all,
       round(100.0 * avg((i.rank < 5)::int), 1) AS five, round(100.0 * avg((a.rank < 5 AND own < 1)::int), 1) AS five_of_all,
       round(100.0 * avg((i.best <= a.best)::int) FILTER (WHERE a.best <= 0.7), 1) AS kept,
       round(100.0 * avg((i.best <= 0.7)::int), 1) AS any,
       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1) AS p50_ms,
       round(percentile_cont(0.99) WITHIN GROUP (ORDER BY ms)::numeric, 1) AS p99_ms,
       round(avg(compared)) AS compared, round(avg(entries) / 1000) AS thousand_entries
  FROM answers AS i JOIN asked AS a USING (no) GROUP BY kind, recall ORDER BY min(no), recall;

RESET lookalike.recall;
-- Of the pairs within 0.7, those that within() finds.
CREATE TABLE few AS SELECT no, kind, locals FROM asked WHERE no % 5 = 0;
CREATE TABLE found AS SELECT f.no, s.id FROM few AS f, stored AS s WHERE within(s.locals, f.locals, 0.7);
SET enable_indexscan = off;
SET enable_seqscan = on;
CREATE TABLE there AS SELECT f.no, s.id FROM few AS f, stored AS s WHERE within(s.locals, f.locals, 0.7);
\echo 'within(locals, q, 0.7), by the index and of all compared:'
SELECT kind, count(DISTINCT no) AS queries, count(t.id) AS pairs, count(f.id) AS found,
       round(100.0 * count(f.id) / nullif(count(t.id), 0), 1) AS percent
  FROM few LEFT JOIN there AS t USING (no) LEFT JOIN found AS f USING (no, id) GROUP BY kind ORDER BY min(no);
