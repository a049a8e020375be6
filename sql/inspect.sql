-- What the inspection functions tell, and whom.
-- Temporary: no other session keeps VACUUM from removing rows.
CREATE TEMP TABLE inspected AS
    SELECT i AS id, CASE WHEN i % 10 <> 0 THEN
        (SELECT array_agg(sin(i * 12.9898 + k * k * 0.37)) FROM generate_series(1, 16) AS k)
        END::real[]::descriptor(16) AS features
    FROM generate_series(1, 1000) AS i;
ALTER TABLE inspected ALTER features TYPE descriptor(16);
ANALYZE inspected;
CREATE INDEX inspected_features ON inspected USING faiss (features) WITH (lists = 4);

SELECT faiss_index_check('inspected_features');

SELECT version, metric, kind, dimensions, refine, lists, depth, built_rows, entries, dead_entries,
       total_bytes = pg_relation_size('inspected_features') AS total,
       list_bytes + code_bytes + refine_bytes + vector_bytes + free_bytes + retired_bytes + 8192 = total_bytes AS sum,
       code_bytes, vector_bytes, free_bytes, retired_lists, retired_bytes,
       list_size_min BETWEEN 1 AND list_size_median AS minimum,
       list_size_max BETWEEN list_size_median AND 899 AS maximum,
       splits, merges, split_ms, measured_rows, measured_lists, measured_queries,
       rebuild_helps, rebuild_reason
  FROM faiss_index_info('inspected_features') \gx

SELECT faiss_index_prewarm('inspected_features') = pg_relation_size('inspected_features') / 8192 AS all_pages;

-- Rows that VACUUM has removed, until new ones take their places.
DELETE FROM inspected WHERE id % 2 = 0;
VACUUM inspected;
SELECT entries, dead_entries FROM faiss_index_info('inspected_features') \gset before_
SELECT :before_entries AS entries, :before_dead_entries > 250 AS dead;
INSERT INTO inspected SELECT id + 500, features FROM inspected WHERE id <= 100;
SELECT entries, dead_entries < :before_dead_entries AS places_serve_again
  FROM faiss_index_info('inspected_features');
SELECT faiss_index_check('inspected_features');

-- An index that grows: lists that were split wait for VACUUM.
CREATE TEMP TABLE grown (features descriptor(2));
CREATE INDEX grown_features ON grown USING faiss (features);
CREATE VIEW grown_info AS
    SELECT *, list_bytes + code_bytes + refine_bytes + vector_bytes + free_bytes + retired_bytes + 8192 = total_bytes AS sum
      FROM faiss_index_info('grown_features');
SELECT metric, kind, dimensions, lists, depth, built_rows, entries, splits, measured_queries, rebuild_helps FROM grown_info;
INSERT INTO grown SELECT ARRAY[i, i % 7]::real[]::descriptor FROM generate_series(1, 6000) AS i;
SELECT lists BETWEEN 40 AND 120 AS lists, depth, built_rows, entries, splits > 0 AS splits, merges, split_ms > 0 AS took_time,
       measured_rows BETWEEN 5001 AND 6000 AS measured_rows, measured_lists > 1 AS measured_lists, measured_queries > 0 AS measured,
       retired_lists > 0 AS retired_lists, retired_bytes > 0 AS retired_bytes, sum, rebuild_helps, rebuild_reason
  FROM grown_info \gx
SELECT s.splits = i.splits AS splits, s.merges, abs(s.split_ms - i.split_ms) < 10 AS took, scans
  FROM faiss_index_stats AS s, grown_info AS i WHERE indexrelname = 'grown_features';
DELETE FROM grown WHERE (features <-> '[0,0]') > 400;
VACUUM grown;
SELECT entries, merges > 0 AS merges, free_bytes > 0 AS given_back, sum, rebuild_helps FROM grown_info;
SELECT faiss_index_check('grown_features');

-- A rebuild helps where options were changed, where lists cannot be split, and where hardly a page is in use.
ALTER INDEX grown_features SET (refine = half);
SELECT rebuild_helps, rebuild_reason FROM grown_info;
ALTER INDEX grown_features SET (refine = int8, lists = 5);
SELECT rebuild_helps, regexp_replace(rebuild_reason, '[0-9]+$', 'N') FROM grown_info;
REINDEX INDEX grown_features;
SELECT lists, depth, entries, splits, rebuild_helps, rebuild_reason FROM grown_info;
ALTER INDEX grown_features RESET (lists);
SELECT rebuild_helps, rebuild_reason FROM grown_info;
DROP VIEW grown_info;
-- Rows of an expression are not computed again to split a list.
CREATE TEMP TABLE computed (f descriptor(2));
CREATE INDEX computed_f ON computed USING faiss ((subvector(f, 1, 2)::descriptor(2))) WITH (refine = none);
INSERT INTO computed SELECT ARRAY[i, i % 7]::real[]::descriptor FROM generate_series(1, 6000) AS i;
SELECT lists, entries, splits, rebuild_helps, rebuild_reason FROM faiss_index_info('computed_f');
REINDEX INDEX computed_f;
SELECT lists, rebuild_helps, rebuild_reason FROM faiss_index_info('computed_f');
DROP TABLE computed;
CREATE TEMP TABLE shrunk AS SELECT i AS id, array_fill(i, ARRAY[768])::real[]::descriptor(768) AS features FROM generate_series(1, 3000) AS i;
CREATE INDEX shrunk_features ON shrunk USING faiss (features) WITH (lists = 2, refine = float);
DELETE FROM shrunk WHERE id % 20 <> 0;
VACUUM shrunk;
SELECT entries, free_bytes, rebuild_helps FROM faiss_index_info('shrunk_features');
DELETE FROM shrunk WHERE id > 20;
VACUUM shrunk;
SELECT entries, rebuild_helps, regexp_replace(rebuild_reason, '[0-9]+', 'N', 'g') FROM faiss_index_info('shrunk_features');
DROP TABLE shrunk;


-- Other metrics and kinds, and a table that says neither kind nor dimensions.
CREATE TABLE bits (features descriptor(8, bit));
CREATE INDEX bits_features ON bits USING faiss (features descriptor_jaccard_ops);
SELECT metric, kind, dimensions, refine FROM faiss_index_info('bits_features');
CREATE TABLE unknown (features descriptor);
CREATE INDEX unknown_features ON unknown USING faiss (features descriptor_cosine_ops);
SELECT metric, kind, dimensions, entries FROM faiss_index_info('unknown_features');
SELECT faiss_index_check('unknown_features'), faiss_index_check('bits_features');

-- Before a build.
SELECT lists, bytes > 0 AS bytes, memory_bytes > 0 AS memory, seconds > 0 AS seconds
  FROM faiss_index_estimate('inspected', 'features');
CREATE TABLE planned AS
    SELECT ARRAY[i, i % 7]::real[]::descriptor AS features FROM generate_series(1, 10000) AS i;
ANALYZE planned;
SELECT * FROM faiss_index_estimate('planned', 'features') \gset
CREATE INDEX planned_features ON planned USING faiss (features);
SELECT reltuples FROM pg_class WHERE oid = 'planned'::regclass;
SELECT :rows AS rows, :lists AS lists, lists AS built,
       :bytes BETWEEN total_bytes * 0.9 AND total_bytes * 1.1 AS bytes
  FROM faiss_index_info('planned_features');
-- With filter columns, in the order of CREATE INDEX.
CREATE TABLE sorted AS
    SELECT subvector(array_fill(i, ARRAY[64])::descriptor, 1, 64)::descriptor(64) AS features,
           i % 9 AS season, 'item ' || i AS label, i % 2 = 0 AS sold, '2026-01-01'::date + i AS day,
           i::numeric AS price, (i::text || ' ')::char(9) COLLATE "C" AS code, NULL::point AS place
      FROM generate_series(1, 10000) AS i;
ANALYZE sorted;
CREATE INDEX sorted_four ON sorted USING faiss (features, season, label, sold, day);
CREATE INDEX sorted_two ON sorted USING faiss (features, price, code);
CREATE INDEX sorted_none ON sorted USING faiss (features);
SELECT index, bytes BETWEEN total_bytes * 0.9 AND total_bytes * 1.1 AS bytes, lists = built AS lists
  FROM (SELECT 'sorted_four' AS index, bytes, lists FROM
               faiss_index_estimate('sorted', 'features', 'season', 'label', 'sold', 'day')
        UNION ALL SELECT 'sorted_two', bytes, lists FROM
               faiss_index_estimate('sorted', 'features', VARIADIC ARRAY['price', 'code'])
        UNION ALL SELECT 'sorted_none', bytes, lists FROM
               faiss_index_estimate('sorted', 'features')) AS estimates,
       LATERAL (SELECT total_bytes, lists AS built FROM faiss_index_info(index)) AS real;
SELECT faiss_index_estimate(table_name => 'sorted', column_name => 'features') =
       faiss_index_estimate('sorted', 'features', VARIADIC '{}') AS same;
SELECT faiss_index_estimate('sorted', 'features', 'place');
SELECT faiss_index_estimate('sorted', 'features', 'features');
SELECT faiss_index_estimate('sorted', 'features', 'nothing');
SELECT faiss_index_estimate('sorted', 'features', NULL);
SELECT faiss_index_estimate('sorted', 'features', VARIADIC array_fill('day'::name, ARRAY[9]));
SELECT faiss_index_estimate('sorted', 'features', VARIADIC NULL) IS NULL AS strict;
DROP TABLE sorted;
-- A column of a domain, as of its type.
CREATE DOMAIN pair AS descriptor(2);
CREATE TABLE paired AS SELECT features::pair FROM planned;
CREATE TABLE empty_pairs (features pair);
ANALYZE paired;
SELECT faiss_index_estimate('paired', 'features') = faiss_index_estimate('planned', 'features') AS alike,
       bytes > 0 AS bytes
  FROM faiss_index_estimate('empty_pairs', 'features');
DROP TABLE paired, empty_pairs;
DROP DOMAIN pair;
SELECT lists FROM faiss_index_estimate('unknown', 'features');
SELECT faiss_index_estimate('planned', 'id');
SELECT faiss_index_estimate('inspected', 'id');
SELECT faiss_index_estimate('planned_features', 'features');

-- For bug reports.
SELECT component, version <> '' AS known FROM lookalike_versions()
 WHERE component IN ('lookalike', 'page format', 'PostgreSQL', 'SIMD', 'FAISS', 'OpenCV', 'BLAS');
SELECT version AS networks FROM lookalike_versions() WHERE component = 'networks';

-- Not everything is a faiss index.
CREATE INDEX inspected_id ON inspected (id);
SELECT faiss_index_check('inspected_id');
SELECT faiss_index_info('inspected');
SELECT faiss_index_prewarm('inspected_id');
SELECT faiss_index_check(0::regclass);
SELECT faiss_index_check(NULL) IS NULL AS strict;
CREATE TABLE divided (id int, features descriptor(2)) PARTITION BY RANGE (id);
CREATE TABLE divided_one PARTITION OF divided FOR VALUES FROM (1) TO (10);
CREATE INDEX divided_features ON divided USING faiss (features);
SELECT faiss_index_check('divided_features');
SELECT faiss_index_estimate('divided', 'features');
SELECT faiss_index_check('divided_one_features_idx');

-- Who may.
CREATE ROLE regress_stranger;
CREATE ROLE regress_owner;
GRANT ALL ON SCHEMA public TO regress_owner;
ALTER TABLE planned OWNER TO regress_owner;
SET ROLE regress_stranger;
SELECT faiss_index_check('planned_features');
SELECT faiss_index_info('planned_features');
SELECT faiss_index_prewarm('planned_features');
SELECT faiss_index_estimate('planned', 'features');
RESET ROLE;
GRANT pg_stat_scan_tables TO regress_stranger;
GRANT SELECT (features) ON planned TO regress_stranger;
ALTER TABLE planned ADD COLUMN hidden int;
SET ROLE regress_stranger;
SELECT faiss_index_estimate('planned', 'features', 'hidden');
SELECT faiss_index_check('planned_features');
SELECT entries FROM faiss_index_info('planned_features');
SELECT lists FROM faiss_index_estimate('planned', 'features');
SET ROLE regress_owner;
SELECT faiss_index_check('planned_features'), faiss_index_prewarm('planned_features') > 0 AS warm;
RESET ROLE;

-- The index's expressions run as the table's owner, who cannot borrow a superuser's rights.
CREATE FUNCTION seen_by(descriptor) RETURNS descriptor LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RAISE NOTICE 'as %', current_user;
    RETURN $1;
END $$;
CREATE TABLE watched AS SELECT '[1,2]'::descriptor(2) AS features;
ALTER TABLE watched OWNER TO regress_owner;
SET client_min_messages = warning;
CREATE INDEX watched_features ON watched USING faiss ((seen_by(features)));
RESET client_min_messages;
SELECT faiss_index_check('watched_features'), current_user;

DROP TABLE inspected, grown, bits, unknown, planned, divided, watched;
DROP FUNCTION seen_by;
REVOKE ALL ON SCHEMA public FROM regress_owner;
DROP ROLE regress_stranger, regress_owner;
