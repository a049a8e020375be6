-- What faiss_index_recall measures, and whom it tells.
SET lookalike.recall = 1; -- every list
CREATE FUNCTION wave(i int, dims int) RETURNS descriptor LANGUAGE sql IMMUTABLE AS
    $$SELECT array_agg(sin(i * 12.9898 + k * k * 0.37))::real[]::descriptor FROM generate_series(1, dims) AS k$$;
CREATE TABLE asked AS SELECT i AS id, CASE WHEN i % 10 <> 0 THEN public.wave(i, 8) END::descriptor(8) AS f
    FROM generate_series(1, 600) AS i;
ALTER TABLE asked ALTER f TYPE descriptor(8);
CREATE INDEX asked_f ON asked USING faiss (f) WITH (lists = 40);
SELECT k, queries, recall, recall_min, index_ms > 0 AND index_ms_p95 > 0 AND exact_ms > 0 AS took_time
  FROM faiss_index_recall('asked_f');
SELECT k, queries, recall FROM faiss_index_recall('asked_f', k => 3, sample => 50);
-- More rows wanted than there are.
SELECT k, queries, recall FROM faiss_index_recall('asked_f', 5, 1000);

-- It is this index that answers, whatever others there are and whatever is forbidden.
CREATE INDEX asked_one ON asked USING faiss (f) WITH (lists = 1);
SET enable_indexscan = off;
SET lookalike.probes = 1;
SET lookalike.recall = 0.5;
SELECT recall < 1 AS worse FROM faiss_index_recall('asked_f');
SELECT index FROM faiss_scan_stats();
SELECT recall FROM faiss_index_recall('asked_one');
SELECT index FROM faiss_scan_stats();
SHOW enable_seqscan;
RESET enable_indexscan;
RESET lookalike.probes;
SET lookalike.recall = 1;
DROP INDEX asked_one;

-- Rows equally near are equally good.
CREATE TABLE same AS SELECT '[1,2]'::descriptor(2) AS f FROM generate_series(1, 300);
INSERT INTO same SELECT '[3,4]' FROM generate_series(1, 300);
ALTER TABLE same ALTER f TYPE descriptor(2);
CREATE INDEX same_f ON same USING faiss (f) WITH (lists = 2);
SELECT recall, recall_min FROM faiss_index_recall('same_f', 20);

-- Every operator class, an expression, a part of the table, zero vectors, names that want quotes.
CREATE SCHEMA "Odd Names";
CREATE TABLE "Odd Names"."The Table" (id int, "The Column" descriptor(8));
INSERT INTO "Odd Names"."The Table" SELECT id, f FROM asked;
INSERT INTO "Odd Names"."The Table" SELECT i, '[0,0,0,0,0,0,0,0]' FROM generate_series(1, 20) AS i;
CREATE INDEX "Ip" ON "Odd Names"."The Table" USING faiss ("The Column" descriptor_ip_ops) WITH (lists = 3);
CREATE INDEX "Cosine" ON "Odd Names"."The Table" USING faiss ("The Column" descriptor_cosine_ops) WITH (lists = 3);
CREATE INDEX "Hamming" ON "Odd Names"."The Table"
    USING faiss ((binary_quantize("The Column")::descriptor(8, bit)) descriptor_hamming_ops) WITH (lists = 3);
CREATE INDEX "Jaccard" ON "Odd Names"."The Table"
    USING faiss ((binary_quantize("The Column")::descriptor(8, bit)) descriptor_jaccard_ops) WITH (lists = 3);
CREATE INDEX "Part" ON "Odd Names"."The Table"
    USING faiss ((subvector("The Column", 2, 4)::descriptor(4)), id) WHERE id % 2 = 1;
SELECT c.relname, r.k, r.queries, r.recall
  FROM pg_class AS c, faiss_index_recall(c.oid, 30) AS r
 WHERE relnamespace = '"Odd Names"'::regnamespace AND relkind = 'i' ORDER BY 1;

-- A function in an index's expression measures another index of the table while the first is being
-- measured. Neither call disturbs the other, and the table's indexes are hidden from their own
-- statements only.
CREATE TABLE nested AS SELECT id, f FROM asked WHERE f IS NOT NULL;
ALTER TABLE nested ADD PRIMARY KEY (id), ALTER f TYPE descriptor(8);
CREATE INDEX nested_plain ON nested USING faiss (f) WITH (lists = 3);
CREATE FUNCTION nosy(f descriptor) RETURNS descriptor LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    scans bigint := pg_stat_get_xact_numscans('public.nested_pkey'::regclass);
BEGIN
    IF current_setting('test.armed', true) = 'yes' THEN
        PERFORM set_config('test.armed', 'no', false);
        PERFORM FROM public.nested WHERE id = 7;
        RAISE NOTICE 'scans of the primary key: %', pg_stat_get_xact_numscans('public.nested_pkey'::regclass) - scans;
        RAISE NOTICE 'recall %', (SELECT recall FROM public.faiss_index_recall('public.nested_plain', 5, 1));
        BEGIN
            RAISE NOTICE 'recall %', 1 / (recall - recall) FROM public.faiss_index_recall('public.nested_plain', 5, 1);
        EXCEPTION WHEN division_by_zero THEN
            RAISE NOTICE 'an error was caught';
        END;
    END IF;
    RETURN f;
END $$;
CREATE INDEX nested_nosy ON nested USING faiss ((nosy(f)::descriptor(8))) WITH (lists = 3);
SET test.armed = 'yes';
SELECT queries, recall FROM faiss_index_recall('nested_nosy', 20);
RESET test.armed;
DROP TABLE nested;
DROP FUNCTION nosy;

-- Nothing to ask.
CREATE TABLE none (f descriptor(2));
CREATE INDEX none_f ON none USING faiss (f);
SELECT * FROM faiss_index_recall('none_f');

-- What is refused.
SELECT faiss_index_recall('asked_f', 0);
SELECT faiss_index_recall('asked_f', 10, 1001);
SELECT faiss_index_recall('asked');
CREATE ROLE recall_reader;
GRANT pg_stat_scan_tables TO recall_reader;
SET ROLE recall_reader;
SELECT recall FROM faiss_index_recall('asked_f');
RESET ROLE;
GRANT SELECT ON asked TO recall_reader;
SET ROLE recall_reader;
SELECT recall FROM faiss_index_recall('asked_f');
RESET ROLE;
REVOKE pg_stat_scan_tables FROM recall_reader;
SET ROLE recall_reader;
SELECT recall FROM faiss_index_recall('asked_f');
RESET ROLE;

DROP TABLE asked, same, none;
DROP SCHEMA "Odd Names" CASCADE;
DROP FUNCTION wave;
DROP ROLE recall_reader;
