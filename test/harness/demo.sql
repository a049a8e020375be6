-- What "make demo" shows. `folder` holds pictures of textile designs in colourways, drawn by a program, and a
-- table of what they are.
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
    features descriptor GENERATED ALWAYS AS (image_features(photo)) STORED
);
\copy designs (file, design, colourway, season, quality) from program 'cat "$LOOKALIKE_PICTURES"/textiles.csv' with (format csv, header)
\echo
\echo '--- Pictures come in, their features are computed by the worker process'
\getenv pictures LOOKALIKE_PICTURES
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
SELECT file FROM designs WHERE id = 42 \gset
\setenv FILE :file
\set picture `base64 -w 0 "$LOOKALIKE_PICTURES/$FILE"`
CREATE TEMP TABLE uploaded AS SELECT decode(:'picture', 'base64') AS photo;
\set ECHO queries
SELECT found.design, colourway, season, quality, round(l2_similarity(found.features, query.features)::numeric, 3) AS similarity
  FROM (SELECT image_features(photo) AS features FROM uploaded) AS query,
       LATERAL (SELECT * FROM designs WHERE season = 'SS26' AND quality = 'A'
                ORDER BY features <-> query.features LIMIT 8) AS found;

\echo '--- So few pictures are sorted faster than they are looked up, hence the first line'
SET enable_seqscan = off;
EXPLAIN (COSTS OFF)
SELECT id FROM designs
 WHERE season = 'SS26' AND quality IN ('A', 'B')
 ORDER BY features <-> (SELECT features FROM designs WHERE id = 42)
 LIMIT 8;
SELECT entries, lists, depth, dimensions FROM faiss_index_info('designs_features');
