-- Projections that are learned from the rows of a query.
\set VERBOSITY terse
-- Of 12 dimensions two say to which of three kinds a row belongs; the others are noise, and larger.
CREATE FUNCTION noise(i int, j int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
    $$SELECT (((i * 7919 + j * 10473 + i * (j + 3) * (i % 17 + 5)) % 1009 + 1009) % 1009) / 1009.0::float8$$;
CREATE TABLE things AS
    SELECT i AS id, i % 3 AS kind,
           ARRAY(SELECT CASE j WHEN 0 THEN (i % 3) * 0.5 + noise(i, 0) / 10 WHEN 1 THEN (i % 3 = 1)::int * 0.5 + noise(i, 1) / 10
                        ELSE 2 * noise(i, j) END FROM generate_series(0, 11) AS j WHERE i > 0)::real[]::descriptor AS f
      FROM generate_series(1, 600) AS i;
CREATE VIEW marks AS SELECT a.f AS a, b.f AS b, a.kind = b.kind AS good
    FROM things AS a JOIN things AS b ON b.id = a.id + 1 + a.id % 5;
-- How many of the five nearest are of the same kind.
CREATE FUNCTION right_ones(projection text) RETURNS numeric LANGUAGE sql AS $$
    SELECT round(avg((n.kind = t.kind)::int), 2) FROM things AS t CROSS JOIN LATERAL (
        SELECT kind FROM things AS o WHERE o.id <> t.id
         ORDER BY CASE WHEN projection IS NULL THEN o.f <-> t.f ELSE project(o.f, projection) <-> project(t.f, projection) END
         LIMIT 5) AS n WHERE t.id <= 100 $$;
SELECT right_ones(NULL) < 0.6 AS poor;

-- From labels, from pairs, from features alone.
\set VERBOSITY default
SELECT train_projection('things', 1, 'SELECT f, kind FROM things', 2);
SELECT train_projection('things', 2, 'SELECT * FROM marks', 2);
\set VERBOSITY terse
SELECT train_projection('things', 3, 'SELECT f FROM things', 4);
SELECT train_projection('things', 4, 'SELECT f FROM things', 4, whiten => true);
SELECT train_projection('things', 5, 'SELECT f, kind FROM things', 4, whiten => true);
SELECT right_ones('things@1') > 0.95 AS by_labels, right_ones('things@2') > 0.95 AS by_pairs;
SELECT kind, name, version, dims, options - 'held_out_before' - 'held_out_after' AS options FROM lookalike_models ORDER BY version;
SELECT (options->>'held_out_after')::float8 > (options->>'held_out_before')::float8 AS better
  FROM lookalike_models WHERE options->>'learned_from' <> 'features';
SET client_min_messages = warning;
-- Distances stay as large as they were, in the mean.
SELECT round((avg(project(a, 'things@3') <-> project(b, 'things@3')) / avg(a <-> b))::numeric, 1) AS scale FROM marks;

-- The same rows give the same bytes, in any order and whatever the labels are called.
SELECT train_projection('same', 1, 'SELECT f, kind FROM things ORDER BY noise(id, 5), id', 2),
       train_projection('same', 2, $$SELECT f::descriptor(half)::descriptor(real), kind FROM things$$, 2),
       train_projection('same', 3, 'SELECT a, b, good FROM marks ORDER BY a DESC', 2);
SELECT (SELECT data FROM lookalike_models WHERE name = 'same' AND version = 1)
     = (SELECT data FROM lookalike_models WHERE name = 'things' AND version = 1) AS by_labels,
       (SELECT data FROM lookalike_models WHERE name = 'same' AND version = 3)
     = (SELECT data FROM lookalike_models WHERE name = 'things' AND version = 2) AS by_pairs,
       (SELECT data FROM lookalike_models WHERE name = 'same' AND version = 2)
     = (SELECT data FROM lookalike_models WHERE name = 'things' AND version = 1) AS other_values;
SELECT train_projection('types', 1, $$SELECT f, kind::numeric FROM things$$, 2),
       train_projection('types', 2, $$SELECT f, 'kind '' ' || kind FROM things$$, 2),
       train_projection('types', 3, $$SELECT f, ARRAY[kind] FROM things$$, 2),
       train_projection('types', 4, $$SELECT f, things.kind = 0 FROM things$$, 2);
SELECT count(*) AS all_dims FROM lookalike_models WHERE name = 'types' AND dims = 2;

-- project(): kinds, dimensions, names.
SELECT descriptor_kind(project(f, 'things@1')), descriptor_dims(project(f, 'things@1')),
       descriptor_kind(project(f::descriptor(half), 'things@1')) AS of_half,
       round((project(f, 'things@1') <-> project(f::descriptor(half), 'things@1'))::numeric, 1) AS apart
  FROM things WHERE id = 1;
SELECT project(NULL, 'things@1') IS NULL AS no_features, project('[1]', NULL) IS NULL AS no_name;
SELECT project('[1,2]', 'things@1');
SELECT project('b101'::descriptor, 'things@1');
SELECT project('[1,2]', 'things@9');
SELECT project('[1,2]', 'things');
SELECT project('[1,2]', '');
SELECT project('[1,2]', repeat('x', 100));
SELECT provolatile, proparallel FROM pg_proc WHERE proname = 'project';

-- An index on what it gives.
CREATE INDEX things_index ON things USING faiss (project(f, 'things@1'));
CREATE FUNCTION uses_index(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
        IF line LIKE '%Index Scan using things_index%' THEN RETURN true; END IF;
    END LOOP;
    RETURN false;
END $$;
SET enable_seqscan = off;
SELECT uses_index($$SELECT id FROM things
    ORDER BY project(f, 'things@1') <-> project((SELECT f FROM things WHERE id = 7), 'things@1') LIMIT 3$$);
SELECT kind FROM things ORDER BY project(f, 'things@1') <-> project((SELECT f FROM things WHERE id = 7), 'things@1') LIMIT 3;
RESET enable_seqscan;
CREATE TABLE kept (f descriptor, p descriptor GENERATED ALWAYS AS (project(f, 'things@2')) STORED);
INSERT INTO kept (f) SELECT f FROM things LIMIT 3;
SELECT bool_and(p = project(f, 'things@2')) FROM kept;
\set VERBOSITY default
SELECT drop_projection('things', 1);
SELECT drop_projection('things', 2);
\set VERBOSITY terse
DROP INDEX things_index;
DROP TABLE kept;
SELECT drop_projection('things', 1), drop_projection('things', 2), drop_projection('things', 1) AS again;
SELECT project(f, 'things@1') FROM things LIMIT 1;

-- Behind an extractor.
CREATE FUNCTION ppm(color text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
    $$SELECT convert_to(E'P6\n8 8\n255\n', 'LATIN1') || decode(repeat(color, 64), 'hex')$$;
CREATE TABLE photos AS SELECT i AS id, ppm(lpad(to_hex(i * 40503 % 16777216), 6, '0')) AS photo FROM generate_series(1, 300) AS i;
SELECT train_projection('tint', 1, $$SELECT image_features(photo, 'color') FROM photos$$, 5);
SELECT count(*), bool_and(image_features(photo, 'color>tint@1') = project(image_features(photo, 'color'), 'tint@1')) AS same,
       bool_and(image_features_or_null(photo, 'color > tint@1 ') = project(image_features(photo, 'color'), 'tint@1')) AS same_or_null
  FROM photos WHERE id <= 20;
SELECT image_features_or_null('junk', 'color>tint@1') IS NULL AS refused;
SELECT count(DISTINCT f), min(descriptor_dims(f)) AS dims FROM image_features_batch((SELECT array_agg(photo) FROM photos WHERE id <= 5), 'color>tint@1') AS f;
CREATE TABLE filled (photo bytea, f descriptor);
CREATE TRIGGER fill BEFORE INSERT ON filled FOR EACH ROW EXECUTE FUNCTION image_features_trigger('photo', 'f', 'color>tint@1');
INSERT INTO filled SELECT photo FROM photos WHERE id <= 3;
SELECT bool_and(f = image_features(photo, 'color>tint@1')) FROM filled;
SELECT image_features(photo, 'pattern>tint@1') FROM photos LIMIT 1;
SELECT image_features(photo, 'phash>tint@1') FROM photos LIMIT 1;
SELECT image_features(photo, 'color>tint@2') FROM photos LIMIT 1;
SELECT image_features(photo, 'color>tint') FROM photos LIMIT 1;
SELECT image_features(photo, 'color>tint@1>tint@1') FROM photos LIMIT 1;
SELECT image_features(photo, '>tint@1') FROM photos LIMIT 1;
SELECT drop_projection('tint', 1);
DROP TABLE filled;
-- What was extracted with one version is not taken for what another one of its name gives.
SELECT md5(image_features(photo, 'color>tint@1')::text) AS before FROM photos WHERE id = 1 \gset
SELECT drop_projection('tint', 1);
SELECT train_projection('tint', 1, $$SELECT image_features(photo, 'color') FROM photos WHERE id < 200$$, 5);
SELECT md5(image_features(photo, 'color>tint@1')::text) <> :'before' AS another FROM photos WHERE id = 1;

-- Marks that teach nothing.
RESET client_min_messages;
SELECT train_projection('none', 1, 'SELECT f, id % 2 = 0 FROM things');
SELECT train_projection('none', 1, 'SELECT a, b, good FROM marks UNION ALL SELECT a, b, NOT good FROM marks');
SELECT train_projection('none', 1, 'SELECT f FROM things WHERE id = 1');
SELECT train_projection('none', 1, $$SELECT '[1,2]'::descriptor, i % 2 FROM generate_series(1, 100) AS i$$);
SELECT train_projection('none', 1, 'SELECT f, kind FROM things LIMIT 3');
SELECT count(*) FROM lookalike_models WHERE name = 'none';
\set VERBOSITY default
SELECT train_projection('holes', 1, 'SELECT CASE WHEN id > 2 THEN f END, CASE WHEN id <> 7 THEN kind END FROM things', 2);
\set VERBOSITY terse

-- Mistakes.
SELECT train_projection('bad', 1, 'SELECT f, kind FROM things WHERE false');
SELECT train_projection('bad', 1, 'SELECT f, 1 FROM things');
SELECT train_projection('bad', 1, 'SELECT a, b, true FROM marks');
SELECT train_projection('bad', 1, 'SELECT a, b, false FROM marks');
SELECT train_projection('bad', 1, 'SELECT id FROM things');
SELECT train_projection('bad', 1, 'SELECT f, f FROM things');
SELECT train_projection('bad', 1, 'SELECT f, f, 1 FROM things');
SELECT train_projection('bad', 1, 'SELECT f, 1, 2, 3 FROM things');
SELECT train_projection('bad', 1, $$SELECT f FROM things UNION ALL SELECT '[1,2]'$$);
SELECT train_projection('bad', 1, $$SELECT 'b101'::descriptor$$);
SELECT train_projection('bad', 1, 'SELECT array_fill(1::real, ARRAY[16000])::descriptor');
SELECT train_projection('bad', 1, 'SELECT f FROM things', 0);
SELECT train_projection('bad', 1, 'SELECT f FROM things', 13);
SELECT train_projection('bad', 0, 'SELECT f FROM things');
SELECT train_projection('It''s "bad"', 1, 'SELECT f FROM things');
SELECT train_projection('', 1, 'SELECT f FROM things');
SELECT train_projection(NULL, 1, 'SELECT f FROM things');
SELECT train_projection('things', 3, 'SELECT f FROM things');
SET maintenance_work_mem = '1MB';
SELECT train_projection('bad', 1, 'SELECT f FROM things');
RESET maintenance_work_mem;

-- The query only reads, and leaves nothing when it fails.
CREATE FUNCTION writes() RETURNS int LANGUAGE plpgsql AS $$BEGIN DELETE FROM things; RETURN 1; END$$;
SELECT train_projection('bad', 1, 'DELETE FROM things RETURNING f');
SELECT train_projection('bad', 1, 'WITH gone AS (DELETE FROM things RETURNING f) SELECT f FROM gone');
SELECT train_projection('bad', 1, 'SELECT f, writes() FROM things');
SELECT train_projection('bad', 1, $$SELECT f, set_config('transaction_read_only', 'off', true) FROM things$$);
SELECT train_projection('bad', 1, 'SELECT f FROM things FOR UPDATE');
SELECT train_projection('bad', 1, 'SELECT f FROM things; SELECT f FROM things');
SELECT train_projection('bad', 1, 'SELECT f FROM things; DELETE FROM things');
SELECT train_projection('bad', 1, 'DROP TABLE things');
SELECT train_projection('bad', 1, '');
SELECT train_projection('bad', 1, 'SELECT f, 1 / (id - 300) FROM things');
SELECT train_projection('bad', 1, 'no SQL');
SELECT count(*) AS things, (SELECT count(*) FROM lookalike_models WHERE name = 'bad') AS bad FROM things;
SHOW transaction_read_only;
BEGIN READ ONLY;
SELECT train_projection('bad', 1, 'SELECT f FROM things');
COMMIT;

-- Rights: who may register networks, and the query is the caller's.
CREATE ROLE regress_learner;
CREATE TABLE hidden AS SELECT f FROM things;
GRANT SELECT ON things TO regress_learner;
SET ROLE regress_learner;
SELECT train_projection('bad', 1, 'SELECT f FROM things');
SELECT drop_projection('things', 3);
SELECT data FROM lookalike_models;
SELECT descriptor_dims(project(f, 'things@3')) FROM things LIMIT 1;
RESET ROLE;
GRANT EXECUTE ON FUNCTION train_projection TO regress_learner;
SET ROLE regress_learner;
SELECT train_projection('bad', 1, 'SELECT f FROM things');
RESET ROLE;
GRANT INSERT, SELECT ON lookalike_models TO regress_learner;
SET ROLE regress_learner;
SELECT train_projection('bad', 1, 'SELECT f FROM hidden');
SELECT train_projection('mine', 1, 'SELECT f FROM things', 3);
RESET ROLE;
-- Somebody else's schema comes first.
CREATE SCHEMA trap;
CREATE TABLE trap.lookalike_models (LIKE lookalike_models);
CREATE FUNCTION trap.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT NULL::bytea';
SET search_path = trap, public;
SELECT train_projection('trapped', 1, 'SELECT f FROM things', 3), project('[1,2,3,4,5,6,7,8,9,10,11,12]', 'mine@1') IS NOT NULL AS used;
SELECT (SELECT count(*) FROM trap.lookalike_models) AS trapped, (SELECT count(*) FROM public.lookalike_models WHERE name = 'trapped') AS kept;
RESET search_path;

SET client_min_messages = warning;
DELETE FROM lookalike_models;
REVOKE ALL ON lookalike_models FROM regress_learner;
REVOKE ALL ON FUNCTION train_projection FROM regress_learner;
DROP TABLE things, hidden, photos CASCADE;
DROP SCHEMA trap CASCADE;
DROP FUNCTION noise, right_ones, ppm, writes, uses_index;
DROP ROLE regress_learner;

-- A function that takes back that the query only reads, as far as the server lets it.
SET client_min_messages = notice;
CREATE TABLE written (id int);
CREATE FUNCTION resetting() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'RESET transaction_read_only';
    INSERT INTO written VALUES (1);
    RETURN 'x';
END $$;
DO $$
BEGIN
    PERFORM train_projection('d', 99, 'SELECT descriptor ''[1,2]'', resetting()');
EXCEPTION WHEN others THEN RAISE NOTICE 'refused: class %', left(sqlstate, 2);
END $$;
SELECT count(*) FROM written;
DROP TABLE written;
DROP FUNCTION resetting();
