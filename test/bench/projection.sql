-- One set of test/bench/projection: what is in the table "given".
SET maintenance_work_mem = '256MB';
SET client_min_messages = warning;
DROP TABLE IF EXISTS pictures, marks;
CREATE TABLE pictures AS
    SELECT row_number() OVER (ORDER BY md5(file)) AS id, label,
           image_features_or_null(pg_read_binary_file(file), :'extractor') AS f
      FROM (SELECT * FROM given ORDER BY md5(file) LIMIT :pictures) AS g;
DELETE FROM pictures WHERE f IS NULL;
DELETE FROM pictures AS p WHERE (SELECT count(*) FROM pictures AS o WHERE o.label = p.label) < 4;
ALTER TABLE pictures ADD learnt boolean;
UPDATE pictures SET learnt = id % 2 = 0;

-- mean average precision of searches among the half that nobody has marked
CREATE OR REPLACE FUNCTION precision_of(projection text) RETURNS float8 LANGUAGE sql AS $$
    WITH others AS MATERIALIZED (
        SELECT id, label, CASE WHEN projection IS NULL THEN f ELSE project(f, projection) END AS f
          FROM pictures WHERE NOT learnt)
    SELECT avg(p) FROM (
        SELECT query, avg(hits::float8 / rank) AS p FROM (
            SELECT q.id AS query, q.label = o.label AS hit, row_number() OVER w AS rank,
                   count(*) FILTER (WHERE q.label = o.label) OVER w AS hits
              FROM (SELECT * FROM others ORDER BY id LIMIT 500) AS q JOIN others AS o ON o.id <> q.id
            WINDOW w AS (PARTITION BY q.id ORDER BY q.f <-> o.f, o.id ROWS UNBOUNDED PRECEDING)) AS answers
         WHERE hit GROUP BY query) AS precisions $$;

-- drawn: every other pair is of one label, the others are any two pictures
-- seen: the first ten answers of searches
CREATE TABLE marks AS
    SELECT 'drawn' AS way, a.f AS a, b.f AS b, a.label = b.label AS good
      FROM generate_series(1, :marks) AS n
     CROSS JOIN LATERAL (SELECT * FROM pictures WHERE learnt ORDER BY md5(n || ' ' || id) LIMIT 1) AS a
     CROSS JOIN LATERAL (SELECT * FROM pictures AS b WHERE learnt AND b.id <> a.id
                            AND (n % 2 = 0 OR b.label = a.label)
                          ORDER BY md5(n || '-' || b.id) LIMIT 1) AS b
    UNION ALL
    SELECT 'seen', a.f, b.f, a.label = b.label
      FROM (SELECT * FROM pictures WHERE learnt ORDER BY md5(id::text) LIMIT :marks / 10) AS a
     CROSS JOIN LATERAL (SELECT * FROM pictures AS b WHERE learnt AND b.id <> a.id
                          ORDER BY b.f <-> a.f LIMIT 10) AS b;
CREATE TEMP TABLE results (way text, dims int, seconds float8);
DELETE FROM lookalike_models;
SELECT precision_of(NULL) AS before, clock_timestamp() AS start \gset
INSERT INTO results SELECT 'drawn', train_projection('drawn', 1, $$SELECT a, b, good FROM marks WHERE way = 'drawn'$$),
    extract(epoch FROM clock_timestamp() - :'start');
SELECT clock_timestamp() AS start \gset
INSERT INTO results SELECT 'seen', train_projection('seen', 1, $$SELECT a, b, good FROM marks WHERE way = 'seen'$$),
    extract(epoch FROM clock_timestamp() - :'start');
SELECT clock_timestamp() AS start \gset
INSERT INTO results SELECT 'labels', train_projection('labels', 1, 'SELECT f, label FROM pictures WHERE learnt'),
    extract(epoch FROM clock_timestamp() - :'start');
SELECT clock_timestamp() AS start \gset
INSERT INTO results SELECT 'none', train_projection('none', 1, 'SELECT f FROM pictures WHERE learnt'),
    extract(epoch FROM clock_timestamp() - :'start');
SELECT way, (SELECT count(*) FROM pictures), (SELECT count(DISTINCT label) FROM pictures), :'before'::float8,
       CASE WHEN dims IS NULL THEN :'before'::float8 ELSE precision_of(way || '@1') END,
       coalesce(dims::text, '-'), seconds
  FROM results;
