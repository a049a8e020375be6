-- Images to descriptors. Pictures are PPM files made here: 64 x 48 pixels.
CREATE FUNCTION ppm(color text, stripe int) RETURNS bytea LANGUAGE sql AS $$
    SELECT convert_to(E'P6\n64 48\n255\n', 'LATIN1') || string_agg(decode(
        CASE WHEN (i % 64) / stripe % 2 = 0 THEN color ELSE 'ffffff' END, 'hex'), '' ORDER BY i)
      FROM generate_series(0, 64 * 48 - 1) AS i
$$;
CREATE TABLE pictures (id int PRIMARY KEY, photo bytea);
INSERT INTO pictures VALUES (1, ppm('c02020', 8)), (2, ppm('2020c0', 8)), (3, ppm('c02020', 3)),
    (4, NULL);

SELECT name, version, dimensions, kind, metric FROM image_extractors() ORDER BY name;

-- What a header says.
SELECT id, (image_info(photo)).* FROM pictures ORDER BY id;

-- Kinds and dimensions.
SELECT e, descriptor_kind(f), descriptor_dims(f)
  FROM unnest('{color,pattern,color+pattern,phash,color@1,color:0.6+pattern:0.4}'::text[]) AS e,
       LATERAL (SELECT image_features(photo, e) AS f FROM pictures WHERE id = 1) AS x;
SELECT image_features(NULL) IS NULL AS of_null, image_features(photo, NULL) IS NULL AS by_null
  FROM pictures WHERE id = 1;

-- The same design in another colour, the same colour in another design.
WITH d AS (
    SELECT e, b.id, image_features(a.photo, e) <-> image_features(b.photo, e) AS distance
      FROM pictures AS a, pictures AS b, (VALUES ('color'), ('pattern')) AS v (e)
     WHERE a.id = 1 AND b.id IN (2, 3))
SELECT e, (array_agg(id ORDER BY distance))[1] AS nearest_to_1 FROM d GROUP BY e ORDER BY e;

-- A combination is the concatenation whose squared distance is the weighted sum.
WITH d AS (
    SELECT l2_squared_distance(image_features(a.photo, 'color'), image_features(b.photo, 'color')) AS c,
           l2_squared_distance(image_features(a.photo, 'pattern'), image_features(b.photo, 'pattern')) AS p,
           l2_squared_distance(image_features(a.photo, 'color:0.6+pattern:0.4'),
                               image_features(b.photo, 'color:0.6+pattern:0.4')) AS pair
      FROM pictures AS a, pictures AS b WHERE a.id = 1 AND b.id = 2)
SELECT abs(pair - (0.6 * c + 0.4 * p)) < 1e-5 AS is_weighted_sum, pair > 0.01 AS is_not_zero FROM d;

-- A literal is an image, never a path.
SELECT image_features('/etc/passwd', 'color');
SELECT image_features('a.jpg');
SELECT image_info('/srv/pictures/a.jpg');
SELECT image_features_or_null('/srv/pictures/a.jpg');
SELECT image_features('no image');
SELECT image_features(E'a\\000.jpg');
SELECT image_features('');
-- Of a file that cannot be used the name is told.
SELECT image_features_file('/etc/passwd');

-- Generated column, expression index, prepared statement.
CREATE TABLE designs (
    id int PRIMARY KEY,
    photo bytea,
    features descriptor GENERATED ALWAYS AS (image_features(photo, 'color+pattern')) STORED
);
INSERT INTO designs SELECT * FROM pictures;
SELECT id, descriptor_dims(features) FROM designs ORDER BY id;
CREATE INDEX ON designs ((image_features(photo, 'phash')));
PREPARE nearest(bytea) AS
    SELECT id FROM designs WHERE features IS NOT NULL
     ORDER BY features <-> (SELECT image_features($1, 'color+pattern')), id LIMIT 2;
SELECT photo FROM pictures WHERE id = 3 \gset
EXECUTE nearest(:'photo');
-- What they cost is said, so that a plan calls them as seldom as it can.
EXPLAIN (COSTS OFF) SELECT id FROM pictures WHERE image_features(photo, 'color') IS NULL AND id * 2 > 2;

-- Equal input is extracted once.
SELECT image_features(ppm('00ff00', 5)) = image_features(ppm('00ff00', 5)) AS equal;
CREATE TEMP TABLE before AS SELECT * FROM image_worker_stats();
SELECT count(image_features(photo, 'color')) FROM pictures, generate_series(1, 10);
SELECT s.requests - b.requests AS requests, s.cache_hits - b.cache_hits AS hits
  FROM image_worker_stats() AS s, before AS b;
SET lookalike.image_cache_size = 0;
SELECT count(image_features(photo, 'color')) FROM pictures, generate_series(1, 10);
SELECT s.requests - b.requests AS requests, s.cache_hits - b.cache_hits AS hits
  FROM image_worker_stats() AS s, before AS b;
RESET lookalike.image_cache_size;

-- Many at once.
SELECT f = image_features(photo, 'color') AS equal
  FROM unnest(ARRAY(SELECT photo FROM pictures ORDER BY id)) WITH ORDINALITY AS p (photo, i)
  JOIN (SELECT f, row_number() OVER () AS i
          FROM image_features_batch(ARRAY(SELECT photo FROM pictures ORDER BY id), 'color') AS f) AS x
 USING (i) ORDER BY i;
SELECT count(*) FROM image_features_batch('{}', 'color');
SELECT count(*), count(DISTINCT f)
  FROM image_features_batch(array_fill((SELECT photo FROM pictures WHERE id = 1), ARRAY[100]), 'color') AS f;

-- Thumbnails.
SELECT (image_info(image_thumbnail(photo, 16))).* FROM pictures WHERE id = 1;
SELECT image_thumbnail(photo, 0) FROM pictures WHERE id = 1;
SELECT image_thumbnail(photo, 100000) FROM pictures WHERE id = 1;

-- What cannot be used.
SELECT image_features('');
SELECT image_features('no picture at all');
SELECT image_features('\xff0a0000000000000000');
SELECT image_features(substr(photo, 1, 100)) FROM pictures WHERE id = 1;
SELECT image_features(photo, 'colour') FROM pictures WHERE id = 1;
SELECT image_features(photo, 'color+phash') FROM pictures WHERE id = 1;
SELECT image_features(photo, 'color:x') FROM pictures WHERE id = 1;
SELECT image_features(photo, '') FROM pictures WHERE id = 1;
SELECT image_features(photo, repeat('x', 5000)) FROM pictures WHERE id = 1;
SELECT image_features(photo, 'net:nothing@1') FROM pictures WHERE id = 1;
SET lookalike.image_cache_size = 0;
SET lookalike.max_image_pixels = 3000;
SELECT image_features(photo, 'phash') FROM pictures WHERE id = 1;
SELECT image_thumbnail(photo, 10) FROM pictures WHERE id = 1;
SELECT image_features_or_null(photo, 'phash') IS NULL AS too_large FROM pictures WHERE id = 1;
RESET lookalike.max_image_pixels;
SELECT image_features_or_null(photo, 'phash') IS NULL AS too_large FROM pictures WHERE id = 1;
SELECT image_features_or_null('') IS NULL AS empty, image_features_or_null('junk') IS NULL AS junk,
       image_features_or_null(substr(photo, 1, 100)) IS NULL AS cut,
       image_features_or_null('\xff0a0000000000000000') IS NULL AS jxl
  FROM pictures WHERE id = 1;
SELECT image_features_or_null(photo, 'colour') FROM pictures WHERE id = 1;

-- The codes of these errors, and that a session goes on after each.
CREATE FUNCTION sqlstate_of(photo bytea, extractor text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM image_features(photo, extractor);
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;
SELECT sqlstate_of(photo, 'phash') AS none, sqlstate_of('junk', 'phash') AS unknown_format,
       sqlstate_of(substr(photo, 1, 100), 'phash') AS cut, sqlstate_of(photo, 'x') AS extractor,
       sqlstate_of(photo, ':') AS spec, sqlstate_of(photo, 'net:x@1') AS net
  FROM pictures WHERE id = 1;
SET lookalike.max_image_pixels = 3000;
SELECT sqlstate_of(photo, 'phash') AS too_large FROM pictures WHERE id = 1;
RESET lookalike.max_image_pixels;
RESET lookalike.image_cache_size;

-- Users may not weaken what protects the server.
CREATE ROLE visitor;
-- Of the functions of images, nobody but the owner may call these, with one exception.
SELECT proname, has_function_privilege('pg_read_server_files', oid, 'EXECUTE') AS by_readers_of_files
  FROM pg_proc WHERE proname ~ 'image' AND NOT has_function_privilege('visitor', oid, 'EXECUTE')
   AND pg_proc.oid IN (SELECT objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass)
 ORDER BY proname;
SET ROLE visitor;
SET lookalike.max_image_pixels = 2000000000;
SET lookalike.worker_memory = '1TB';
SET lookalike.worker_timeout = '1d';
SELECT image_features_file('/etc/passwd');
SELECT image_features_file('/nothing');
SELECT register_image_model('x', 1, '');
SELECT check_image_model('x', 1, '', 8, 8, '{0,0,0}', '{1,1,1}', '', false, false, false);
SELECT drop_image_model('x', 1);
SELECT data FROM lookalike_models;
SELECT name FROM lookalike_models;
SELECT count(*) FROM image_extractors();
SELECT descriptor_dims(image_features(image_thumbnail('\x50360a3120310a3235350aff0000', 1), 'phash'));
RESET ROLE;
DROP ROLE visitor;

DROP TABLE pictures, designs, before;
DROP FUNCTION ppm, sqlstate_of;
