-- Codebooks that are learned from the pictures of a query.
\set VERBOSITY terse
-- Pictures of squares, each in a colour of its own.
CREATE FUNCTION squares(seed int) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT convert_to(format(E'P6\n%s %s\n255\n', 160, 160), 'LATIN1') || string_agg(decode(
            (SELECT repeat(string_agg(repeat(substr(md5(seed || ' ' || c || ' ' || r), 1, 6), 8), '' ORDER BY c), 8)
               FROM generate_series(1, 20) AS c), 'hex'), '' ORDER BY r)
      FROM generate_series(1, 20) AS r
$$;
CREATE FUNCTION plain() RETURNS bytea LANGUAGE sql IMMUTABLE AS
    $$SELECT convert_to(E'P6\n64 48\n255\n', 'LATIN1') || decode(repeat('c02020', 64 * 48), 'hex')$$;
CREATE TABLE pictures AS SELECT i AS id, squares(i) AS photo FROM generate_series(1, 12) AS i;
ALTER TABLE pictures ADD l local_features, ADD o local_features;
UPDATE pictures SET l = image_local_features(photo, 'sift', 50), o = image_local_features(photo, 'orb', 50);

-- From pictures and from local features, of each kind.
\set VERBOSITY default
SELECT train_codebook('b', 1, 'SELECT photo FROM pictures', 8, 'bow', max_features => 50);
\set VERBOSITY terse
SELECT train_codebook('v', 1, 'SELECT photo FROM pictures', 8, 'vlad', max_features => 50);
SELECT train_codebook('f', 1, 'SELECT l FROM pictures', 8, 'fisher', dimensions => 6, max_features => 50);
SELECT train_codebook('f', 2, 'SELECT l FROM pictures', 8, 'fisher', dimensions => 6, max_features => 50, whiten => true);
SELECT train_codebook('o', 1, 'SELECT o FROM pictures', 8, 'vlad', 'orb', 0, max_features => 50);
SELECT train_codebook('o', 2, 'SELECT photo FROM pictures', 4, 'bow', 'orb', 2, 50);
SELECT kind, name, version, dims, options FROM lookalike_models ORDER BY name, version;
SELECT name, version, dimensions, kind, metric FROM image_extractors() WHERE description ~ 'codebook' ORDER BY 1, 2;

-- What they give: the same of a picture and of its local features, of length 1.
SELECT spec, count(*), min(descriptor_dims(f)) AS dims, bool_and(f = codebook_features(CASE WHEN k = 'orb' THEN o ELSE l END, split_part(spec, ':', 2))) AS same,
       bool_and(abs(descriptor_norm(f) - 1) < 1e-5) AS length_one, count(DISTINCT f) AS different
  FROM pictures, (VALUES ('bow:b@1', 'sift'), ('vlad:v@1', 'sift'), ('fisher:f@1', 'sift'), ('fisher:f@2', 'sift'), ('vlad:o@1', 'orb'), ('bow:o@2', 'orb')) AS s (spec, k),
       LATERAL (SELECT image_features(photo, spec) AS f) AS x
 GROUP BY spec ORDER BY spec;
-- Of a picture without features: zeros, or what becomes of them.
SELECT spec, bool_and(x = 0) AS zeros, round(sum(x * x)) AS length FROM unnest('{bow:b@1,vlad:v@1,fisher:f@1,vlad:o@1}'::text[]) AS spec,
       LATERAL unnest(image_features(plain(), spec)::real[]) AS x GROUP BY spec ORDER BY spec;
SET client_min_messages = warning;

-- The same rows give the same bytes: in any order, from pictures or their local features, also twice.
SELECT train_codebook('same', 1, 'SELECT l FROM pictures ORDER BY id DESC', 8, 'vlad', max_features => 50),
       train_codebook('same', 2, 'SELECT l FROM pictures UNION ALL SELECT l FROM pictures', 8, 'vlad', max_features => 50),
       train_codebook('same', 3, 'SELECT photo FROM pictures ORDER BY md5(id::text)', 8, 'vlad', max_features => 50);
SELECT name, version, data = (SELECT data FROM lookalike_models WHERE name = 'same' AND version = 1) AS as_by_features,
       data = (SELECT data FROM lookalike_models WHERE name = 'v' AND version = 1) AS as_by_pictures
  FROM lookalike_models WHERE name = 'same' ORDER BY version;

-- In the language of extractors, and its other forms.
SELECT descriptor_dims(image_features(photo, 'color + vlad:v@1:0.25+bow:b@01')) AS dims,
       image_features_or_null(photo, 'vlad:v@1') = image_features(photo, 'vlad:v@1') AS or_null
  FROM pictures WHERE id = 1;
SELECT abs((image_features(a.photo, 'color+vlad:v@1:0.25') <-> image_features(b.photo, 'color+vlad:v@1:0.25')) ^ 2
         - (image_features(a.photo, 'color') <-> image_features(b.photo, 'color')) ^ 2
         - 0.25 * (image_features(a.photo, 'vlad:v@1') <-> image_features(b.photo, 'vlad:v@1')) ^ 2) < 1e-5 AS weighted
  FROM pictures AS a, pictures AS b WHERE a.id = 1 AND b.id = 2;
SELECT image_features_or_null('junk', 'vlad:v@1') IS NULL AS refused, image_features_or_null('junk', 'color+vlad:v@1') IS NULL AS refused_too;
SELECT image_features('junk', 'vlad:v@1');
SELECT count(*), count(DISTINCT f), min(descriptor_dims(f)) AS dims FROM image_features_batch((SELECT array_agg(photo) FROM pictures), 'vlad:v@1') AS f;
SELECT train_projection('p', 1, $$SELECT image_features(photo, 'vlad:v@1') FROM pictures$$, 3);
SELECT bool_and(image_features(photo, 'vlad:v@1>p@1') = project(codebook_features(l, 'v@1'), 'p@1')) AS projected FROM pictures;
SELECT drop_projection('p', 1);
CREATE TABLE filled (photo bytea, f descriptor, g descriptor GENERATED ALWAYS AS (image_features(photo, 'bow:b@1')) STORED);
CREATE TRIGGER fill BEFORE INSERT ON filled FOR EACH ROW EXECUTE FUNCTION image_features_trigger('photo', 'f', 'vlad:v@1');
INSERT INTO filled SELECT photo FROM pictures;
SELECT bool_and(f = image_features(photo, 'vlad:v@1')) AS by_trigger, bool_and(g = image_features(photo, 'bow:b@1')) AS generated FROM filled;
SELECT provolatile, proparallel, proisstrict FROM pg_proc WHERE proname = 'codebook_features';

-- An index on what one gives.
CREATE INDEX pictures_words ON pictures USING faiss (codebook_features(l, 'f@1'));
SET enable_seqscan = off;
SELECT id FROM pictures ORDER BY codebook_features(l, 'f@1') <-> image_features(squares(7), 'fisher:f@1') LIMIT 1;
RESET enable_seqscan;
CREATE VIEW seen AS SELECT codebook_features(o, 'o@1') AS f FROM pictures;
-- A projection of the same name is something else.
SELECT train_projection('o', 1, $$SELECT codebook_features(l, 'v@1') FROM pictures$$, 3), drop_projection('o', 1);

-- What is used is kept.
\set VERBOSITY default
SELECT drop_codebook('f', 1);
SELECT drop_codebook('o', 1);
SELECT drop_codebook('v', 1);
SELECT drop_codebook('b', 1);
\set VERBOSITY terse
SELECT drop_codebook('o', 2), drop_codebook('o', 2) AS again, drop_codebook('f', 2);
DROP INDEX pictures_words;
DROP VIEW seen;
DROP TABLE filled;
SELECT drop_codebook('f', 1), drop_codebook('o', 1), drop_codebook('b', 1);
SELECT image_features(photo, 'bow:b@1') FROM pictures LIMIT 1;
SELECT codebook_features(l, 'b@1') FROM pictures LIMIT 1;
-- Another one of a dropped name is not taken for it.
SELECT md5(image_features(photo, 'vlad:v@1')::text) AS before, md5(codebook_features(l, 'v@1')::text) AS before_l FROM pictures WHERE id = 1 \gset
SELECT drop_codebook('v', 1);
SELECT train_codebook('v', 1, 'SELECT l FROM pictures WHERE id < 9', 8, 'vlad', max_features => 50);
SELECT md5(image_features(photo, 'vlad:v@1')::text) <> :'before' AS another, md5(codebook_features(l, 'v@1')::text) <> :'before_l' AS another_l FROM pictures WHERE id = 1;

-- Names.
SELECT image_features(photo, 'bow:v@1') FROM pictures LIMIT 1;
SELECT image_features(photo, 'vlad:v') FROM pictures LIMIT 1;
SELECT image_features(photo, 'vlad:v@2') FROM pictures LIMIT 1;
SELECT image_features(photo, 'vlad:@1') FROM pictures LIMIT 1;
SELECT image_features(photo, 'vlad') FROM pictures LIMIT 1;
SELECT image_features(photo, 'net:v@1') FROM pictures LIMIT 1;
SELECT image_features(photo, 'vlad:v@1+phash') FROM pictures LIMIT 1;
SELECT text_features('blue', 'vlad:v@1');
SELECT codebook_features(o, 'v@1') FROM pictures LIMIT 1;
SELECT codebook_features(l, 'v') FROM pictures LIMIT 1;
SELECT codebook_features(l, 'vlad:v@1') FROM pictures LIMIT 1;
SELECT codebook_features(l, '') FROM pictures LIMIT 1;
SELECT codebook_features(l, NULL) IS NULL AS no_name, codebook_features(NULL, 'v@1') IS NULL AS no_features FROM pictures LIMIT 1;

-- What a query gives: NULLs, broken pictures, pictures without features, one picture.
RESET client_min_messages;
\set VERBOSITY default
SELECT train_codebook('few', 1, $$SELECT photo FROM pictures UNION ALL SELECT NULL UNION ALL SELECT 'junk' UNION ALL SELECT plain()$$, 8, max_features => 50);
SELECT train_codebook('few', 2, 'SELECT l FROM pictures WHERE id = 1', 8);
SELECT train_codebook('few', 3, 'SELECT l FROM pictures WHERE id = 1', 51);
SELECT train_codebook('few', 4, $$SELECT 'junk'::bytea UNION ALL SELECT plain() UNION ALL SELECT NULL$$);
SELECT train_codebook('few', 5, 'SELECT photo FROM pictures WHERE false');
SELECT train_codebook('few', 6, 'SELECT NULL::bytea FROM pictures');
\set VERBOSITY terse

-- Mistakes.
SELECT train_codebook('bad', 1, 'SELECT id FROM pictures');
SELECT train_codebook('bad', 1, 'SELECT l, photo FROM pictures');
SELECT train_codebook('bad', 1, 'SELECT FROM pictures');
SELECT train_codebook('bad', 1, 'SELECT o FROM pictures');
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures UNION ALL SELECT o FROM pictures', 8);
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures', 0);
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures', -1);
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures', 10000000);
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures', 16000);
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures', 256, 'vlad', dimensions => 0);
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures', kind => 'words');
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures', features => 'surf');
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures', dimensions => -1);
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures', dimensions => 100000);
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures', max_features => 0);
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures', max_features => 100000);
SELECT train_codebook('bad', 0, 'SELECT l FROM pictures');
SELECT train_codebook('It''s "bad"', 1, 'SELECT l FROM pictures');
SELECT train_codebook(NULL, 1, 'SELECT l FROM pictures');
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures', NULL);
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures', dimensions => NULL);
SELECT count(train_codebook('default', 1, 'SELECT l FROM pictures', max_features => 50)) AS defaults;
SELECT dims, options FROM lookalike_models WHERE name = 'default';
SELECT train_codebook('v', 1, 'SELECT l FROM pictures');
SET maintenance_work_mem = '1MB';
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures');
RESET maintenance_work_mem;

-- The query only reads, and leaves nothing when it fails.
CREATE FUNCTION writes() RETURNS int LANGUAGE plpgsql AS $$BEGIN DELETE FROM pictures; RETURN 1; END$$;
SELECT train_codebook('bad', 1, 'DELETE FROM pictures RETURNING l');
SELECT train_codebook('bad', 1, 'WITH gone AS (DELETE FROM pictures RETURNING l) SELECT l FROM gone');
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures WHERE writes() = 1');
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures; DROP TABLE pictures');
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures WHERE 1 / (id - 7) < 5');
SELECT train_codebook('bad', 1, 'no SQL');
SELECT train_codebook('bad', 1, '');
SELECT count(*) AS pictures, (SELECT count(*) FROM lookalike_models WHERE name IN ('bad', 'few')) AS kept FROM pictures;
SHOW transaction_read_only;
BEGIN READ ONLY;
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures');
COMMIT;

-- Rights, and somebody else's schema that comes first.
CREATE ROLE regress_reader;
CREATE TABLE hidden AS SELECT l FROM pictures;
GRANT SELECT ON pictures TO regress_reader;
SET ROLE regress_reader;
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures', 8);
SELECT drop_codebook('v', 1);
SELECT descriptor_dims(codebook_features(l, 'v@1')), descriptor_dims(image_features(photo, 'vlad:v@1')) FROM pictures LIMIT 1;
RESET ROLE;
GRANT EXECUTE ON FUNCTION train_codebook TO regress_reader;
SET ROLE regress_reader;
SELECT train_codebook('bad', 1, 'SELECT l FROM pictures', 8);
RESET ROLE;
GRANT INSERT, SELECT ON lookalike_models TO regress_reader;
SET ROLE regress_reader;
SELECT train_codebook('bad', 1, 'SELECT l FROM hidden', 8);
RESET ROLE;
CREATE SCHEMA trap;
CREATE TABLE trap.lookalike_models (LIKE lookalike_models);
CREATE FUNCTION trap.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT NULL::bytea';
SET search_path = trap, public;
SELECT train_codebook('trapped', 1, 'SELECT l FROM pictures', 8);
SELECT (SELECT count(*) FROM trap.lookalike_models) AS trapped, (SELECT count(*) FROM public.lookalike_models WHERE name = 'trapped') AS kept;
RESET search_path;

-- A row that somebody has written by hand.
INSERT INTO lookalike_models (kind, name, version, data, options, dims) VALUES ('codebook', 'junk', 1, 'junk', '{}', 3);
INSERT INTO lookalike_models (kind, name, version, data, options, dims)
    SELECT kind, 'longer', 1, data || 'x', options, dims FROM lookalike_models WHERE name = 'v';
SELECT codebook_features(l, 'junk@1') FROM pictures LIMIT 1;
SELECT codebook_features(l, 'longer@1') FROM pictures LIMIT 1;
SELECT image_features(photo, 'vlad:longer@1') FROM pictures LIMIT 1;
SELECT descriptor_dims(image_features(photo, 'vlad:v@1')) FROM pictures LIMIT 1;

SET client_min_messages = warning;
DELETE FROM lookalike_models;
REVOKE ALL ON lookalike_models FROM regress_reader;
REVOKE ALL ON FUNCTION train_codebook FROM regress_reader;
DROP TABLE pictures, hidden;
DROP SCHEMA trap CASCADE;
DROP FUNCTION squares, plain, writes;
DROP ROLE regress_reader;
