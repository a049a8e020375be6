-- What "make demo" shows. The folder holds pictures of textile designs in colourways, drawn by a
-- program, and a table of what they are. One of them stays out of the table: a client sends it.
\pset footer off
CREATE EXTENSION lookalike;
CREATE TABLE designs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file text NOT NULL,
    design text NOT NULL,
    colourway text NOT NULL,
    season text NOT NULL,
    quality text NOT NULL,
    photo bytea,
    features descriptor GENERATED ALWAYS AS (image_features(photo)) STORED,
    color descriptor GENERATED ALWAYS AS (image_features(photo, 'color')) STORED,
    pattern descriptor GENERATED ALWAYS AS (image_features(photo, 'pattern')) STORED
);
\copy designs (file, design, colourway, season, quality) from program 'cat "$LOOKALIKE_PICTURES"/textiles.csv' with (format csv, header)
\echo
\echo '--- Pictures come in, their features are computed by the worker process'
\set pictures `echo "$LOOKALIKE_PICTURES"`
\set sent `echo "$LOOKALIKE_SENT"`
DELETE FROM designs WHERE file = :'sent';
UPDATE designs SET photo = pg_read_binary_file(:'pictures' || '/' || file);
SELECT count(*) AS pictures, count(DISTINCT design) AS designs, count(DISTINCT colourway) AS colourways,
       min(descriptor_dims(features)) AS dimensions
  FROM designs;

\echo '--- An index with filter attributes: WHERE is tested inside it, before any distance'
\set ECHO queries
CREATE INDEX designs_features ON designs USING faiss (features, season, quality);
ANALYZE designs;

\set ECHO none
\echo '--- The main job: a client sends a picture; what looks like it, among a season and a quality?'
\set picture `base64 -w 0 "$LOOKALIKE_PICTURES/$LOOKALIKE_SENT"`
CREATE TABLE query AS
    SELECT photo, image_features(photo) AS features, image_features(photo, 'color') AS color,
           image_features(photo, 'pattern') AS pattern
      FROM decode(:'picture', 'base64') AS photo;
\set ECHO queries
SELECT design, colourway, season, quality,
       round((features <-> (SELECT features FROM query))::numeric, 3) AS distance
  FROM designs
 WHERE season = 'SS26' AND quality = 'A'
 ORDER BY features <-> (SELECT features FROM query)
 LIMIT 6;

\echo '--- So few pictures are sorted faster than they are looked up, hence the first line'
SET enable_seqscan = off;
EXPLAIN (COSTS OFF)
SELECT id FROM designs
 WHERE season = 'SS26' AND quality IN ('A', 'B')
 ORDER BY features <-> (SELECT features FROM designs WHERE id = 42)
 LIMIT 8;
SELECT entries, lists, depth, dimensions FROM faiss_index_info('designs_features');
