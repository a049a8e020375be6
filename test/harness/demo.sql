-- What "make demo" shows. The features are made by a formula, so every run gives the same answer.
\pset footer off
\echo
\echo '--- 5,000 designs: 20 families, each with its own centre and small variations'
CREATE EXTENSION lookalike;
CREATE TABLE designs (
    id bigint PRIMARY KEY,
    season text NOT NULL,
    quality text NOT NULL,
    design text NOT NULL,
    features descriptor(16) NOT NULL
);
INSERT INTO designs
SELECT id,
       (ARRAY['SS25', 'AW25', 'SS26', 'AW26'])[1 + id % 4],
       (ARRAY['A', 'B', 'C'])[1 + id / 4 % 3],
       (ARRAY['stripe', 'check', 'dot', 'floral', 'paisley'])[1 + family % 5] || ' ' || family,
       ARRAY(SELECT sin(family * dimension * 1.7) + 0.2 * sin(id * dimension * 0.37)
               FROM generate_series(1, 16) AS dimension)::real[]
  FROM generate_series(1, 5000) AS id, LATERAL (SELECT id * 7 / 11 % 20 AS family) AS f;
ANALYZE designs;
SELECT count(*), min(descriptor_dims(features)) AS dimensions, min(descriptor_kind(features)) AS kind
  FROM designs;

\echo '--- The main job: the designs most like number 42 among those of a season and a quality'
\set ECHO queries
SELECT id, season, quality, design,
       round((features <-> (SELECT features FROM designs WHERE id = 42))::numeric, 4) AS distance
  FROM designs
 WHERE season = 'SS26' AND quality = 'A'
 ORDER BY features <-> (SELECT features FROM designs WHERE id = 42)
 LIMIT 10;

EXPLAIN (COSTS OFF)
SELECT id
  FROM designs
 WHERE season = 'SS26' AND quality = 'A'
 ORDER BY features <-> (SELECT features FROM designs WHERE id = 42)
 LIMIT 10;
