-- What scans did: the last one, and sums for each index.
SET enable_seqscan = off;
SELECT * FROM faiss_scan_stats() \gx
SELECT count(*) FROM faiss_index_stats;

CREATE TABLE seen (id int, grp int, f descriptor(2));
INSERT INTO seen SELECT i, i % 10, ARRAY[i, i % 7]::real[]::descriptor FROM generate_series(1, 100) AS i;
INSERT INTO seen VALUES (101, 1, NULL);
CREATE INDEX seen_f ON seen USING faiss (f, grp);
CREATE VIEW last_scan AS
    SELECT index, loops, lists, lists_probed, lists_skipped, entries_scanned, entries_filtered, entries_refined > 0 AS refined,
           rows_emitted, stop_reason, duration_ms > 0 AS took_time FROM faiss_scan_stats();

-- Ended by the executor, by a filter's last row, by the end of the index.
SELECT id FROM seen ORDER BY f <-> '[1,1]' LIMIT 3;
SELECT * FROM last_scan \gx
SELECT count(*) FROM (SELECT id FROM seen WHERE grp = 3 ORDER BY f <-> '[1,1]' LIMIT 100) AS s;
SELECT * FROM last_scan \gx
SELECT count(*) FROM (SELECT id FROM seen ORDER BY f <-> '[1,1]' LIMIT 1000) AS s;
SELECT * FROM last_scan \gx

-- Lists whose summaries show that nothing in them passes are left unread.
CREATE INDEX seen_lists ON seen USING faiss (f, id) WITH (lists = 5);
SELECT count(*) FROM (SELECT id FROM seen WHERE id > 100 ORDER BY f <-> '[1,1]' LIMIT 10) AS s;
SELECT index, lists, lists_probed, lists_skipped, entries_scanned, rows_emitted FROM faiss_scan_stats();
SELECT lists_probed, lists_skipped FROM faiss_index_stats WHERE indexrelname = 'seen_lists';
DROP INDEX seen_lists;

-- The loops of a join's inner side are one scan.
SELECT count(*) FROM generate_series(1, 4) AS i,
    LATERAL (SELECT id FROM seen ORDER BY f <-> ARRAY[i, i]::real[]::descriptor LIMIT 2) AS s;
SELECT * FROM last_scan \gx

-- A scan that nobody asks for a row leaves no trace.
SELECT id FROM seen ORDER BY f <-> '[1,1]' LIMIT 0;
SELECT loops FROM faiss_scan_stats();
-- Nor does one that ends with an error.
SELECT id FROM seen ORDER BY f <-> '[1,1,1]' LIMIT 1;
SELECT loops FROM faiss_scan_stats();

-- Words of the setting.
SET lookalike.log_scan = loud;

-- Without shared_preload_libraries the sums are this session's.
SELECT schemaname, relname, indexrelname, scope, scans, loops, lists_probed, rows_emitted, duration_ms > 0 AS took_time
  FROM faiss_index_stats;
CREATE ROLE stats_reader;
SET ROLE stats_reader;
SELECT indexrelname, scans FROM faiss_index_stats;
SELECT faiss_index_stats_reset();
RESET ROLE;
DROP ROLE stats_reader;
SELECT faiss_index_stats_reset();
SELECT count(*) FROM faiss_index_stats;
SELECT count(*) FROM (SELECT id FROM seen ORDER BY f <-> '[1,1]' LIMIT 1) AS s;
SELECT indexrelname, scans FROM faiss_index_stats;
-- The sums of what was dropped are not shown.
DROP INDEX seen_f;
SELECT count(*) FROM faiss_index_stats;
DROP VIEW last_scan;
DROP TABLE seen;
