-- One set of test/bench/codebook: what is in the table "given".
SET maintenance_work_mem = '512MB';
SET client_min_messages = warning;
DROP TABLE IF EXISTS pictures, described, results;
CREATE TABLE pictures AS
    SELECT row_number() OVER (ORDER BY md5(file)) AS id, label, image_features_or_null(photo, :'extractor') AS f,
           image_local_features_or_null(photo, :'features', :max_features) AS l
      FROM (SELECT *, pg_read_binary_file(file) AS photo FROM given ORDER BY md5(file) LIMIT :pictures) AS g;
DELETE FROM pictures WHERE f IS NULL OR l IS NULL;
DELETE FROM pictures AS p WHERE (SELECT count(*) FROM pictures AS o WHERE o.label = p.label) < 4;

CREATE TABLE described (way text, id bigint, f descriptor);
-- mean average precision of searches among the half that nothing was learned from
CREATE OR REPLACE FUNCTION precision_of(way text) RETURNS float8 LANGUAGE sql AS $$
    WITH others AS MATERIALIZED (SELECT p.id, label, d.f FROM pictures AS p JOIN described AS d USING (id) WHERE d.way = $1)
    SELECT avg(p) FROM (
        SELECT query, avg(hits::float8 / rank) AS p FROM (
            SELECT q.id AS query, q.label = o.label AS hit, row_number() OVER w AS rank,
                   count(*) FILTER (WHERE q.label = o.label) OVER w AS hits
              FROM (SELECT * FROM others ORDER BY id LIMIT 500) AS q JOIN others AS o ON o.id <> q.id
            WINDOW w AS (PARTITION BY q.id ORDER BY q.f <-> o.f, o.id ROWS UNBOUNDED PRECEDING)) AS answers
         WHERE hit GROUP BY query) AS precisions $$;
CREATE TABLE results (number serial, way text, seconds float8);
DELETE FROM lookalike_models;
CREATE OR REPLACE PROCEDURE try(way text, words int, dims int, whitened boolean, features text, max_features int) LANGUAGE plpgsql AS $$
DECLARE name text := format('%s %s%s%s', way, words, CASE WHEN dims > 0 THEN ' to ' || dims ELSE '' END, CASE WHEN whitened THEN ' whitened' ELSE '' END);
        start timestamptz := clock_timestamp();
        version int := 1 + (SELECT count(*) FROM results);
BEGIN
    PERFORM train_codebook('tried', version, 'SELECT l FROM pictures WHERE id % 2 = 0', words, way, features, dims, max_features, whitened);
    INSERT INTO results (way, seconds) VALUES (name, extract(epoch FROM clock_timestamp() - start));
    INSERT INTO described SELECT name, id, codebook_features(l, 'tried@' || version) FROM pictures WHERE id % 2 = 1;
END $$;
INSERT INTO described SELECT :'extractor', id, f FROM pictures WHERE id % 2 = 1;
INSERT INTO results (way, seconds) VALUES (:'extractor', 0);
CALL try('bow', 64, 0, false, :'features', :max_features);
CALL try('bow', 256, 0, false, :'features', :max_features);
CALL try('bow', 256, 64, false, :'features', :max_features);
CALL try('vlad', 16, 64, false, :'features', :max_features);
CALL try('vlad', 64, 64, false, :'features', :max_features);
CALL try('fisher', 16, 64, false, :'features', :max_features);
CALL try('fisher', 64, 64, false, :'features', :max_features);
CALL try('fisher', 64, 128, false, :'features', :max_features);
CALL try('fisher', 64, 64, true, :'features', :max_features);
-- beside each other, as 'color+pattern+fisher:tried@8' has them
INSERT INTO described SELECT :'extractor' || '+' || d.way, d.id, p.f || d.f
  FROM described AS d JOIN pictures AS p USING (id) WHERE d.way = 'fisher 64 to 64';
INSERT INTO results (way, seconds) SELECT DISTINCT way, 0 FROM described WHERE way LIKE '%+fisher%';
SELECT way, (SELECT count(*) FROM pictures), (SELECT count(DISTINCT label) FROM pictures),
       (SELECT min(descriptor_dims(f)) FROM described AS d WHERE d.way = r.way), precision_of(way), seconds
  FROM results AS r ORDER BY number;
