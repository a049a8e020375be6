-- Images to local features. Pictures are PPM files made here: squares of 8 pixels a side, each in a
-- colour of its own, of which a picture shows `columns` x `rows` from (`first_column`, `first_row`) on.
CREATE FUNCTION squares(seed int, columns int, rows int, first_column int DEFAULT 0, first_row int DEFAULT 0)
    RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT convert_to(format(E'P6\n%s %s\n255\n', 8 * columns, 8 * rows), 'LATIN1') || string_agg(decode(
            (SELECT repeat(string_agg(repeat(substr(md5(seed || ' ' || c || ' ' || r), 1, 6), 8), '' ORDER BY c), 8)
               FROM generate_series(first_column, first_column + columns - 1) AS c), 'hex'), '' ORDER BY r)
      FROM generate_series(first_row, first_row + rows - 1) AS r
$$;
CREATE FUNCTION plain(width int, height int) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT convert_to(format(E'P6\n%s %s\n255\n', width, height), 'LATIN1') || decode(repeat('c02020', width * height), 'hex')
$$;
CREATE TABLE pictures (id int PRIMARY KEY, photo bytea);
INSERT INTO pictures VALUES (1, squares(1, 40, 30)), (2, squares(2, 40, 30)), (3, squares(1, 20, 16, 10, 6)), (4, NULL), (5, plain(64, 48));

-- How many, of which kind; what is left out is the default.
SELECT kind(f), feature_count(f), n FROM pictures, (VALUES ('orb', 1), ('orb', 150), ('sift', 1), ('sift', 150)) AS v (k, n),
       LATERAL (SELECT image_local_features(photo, k, n) AS f) AS x WHERE id = 1;
SELECT image_local_features(photo) = image_local_features(photo, 'orb', 150, false) AS defaults,
       image_local_features(photo, mirrored => true) = image_local_features(photo) AS mirrored,
       image_local_features_or_null(photo) = image_local_features(photo) AS or_null,
       feature_count(image_local_features(photo, max_features => 10000)) BETWEEN 151 AND 10000 AS many
  FROM pictures WHERE id = 1;
SELECT max(x) <= 320 AND min(x) >= 0 AND max(y) <= 240 AND min(y) >= 0 AS inside, bool_and(angle >= 0 AND angle < 360) AS angles,
       bool_and(scale > 1 AND scale < 320) AS scales, bool_and(strength > 0 AND strength <= 1) AS strengths
  FROM pictures, unnest('{orb,sift}'::text[]) AS k, features(image_local_features(photo, k)) WHERE id = 1 GROUP BY k;
-- Of one colour, and of sizes in which hardly anything fits.
SELECT width, height, k, image_local_features(plain(width, height), k)
  FROM (VALUES (64, 48), (1, 1), (1, 700), (700, 1), (3, 2000), (8, 8)) AS v (width, height), unnest('{orb,sift}'::text[]) AS k;

-- The same picture, a part of it, another one.
SELECT k, m.score > 0.8 AS itself, part.score > 0.3 AS part, abs(part.transform[1] - 1) < 0.02 AND abs(part.transform[2]) < 0.02
           AND abs(part.transform[3] - 80) < 3 AND abs(part.transform[6] - 48) < 3 AS where_it_lies,
       box(part.place) <@ '(76,44),(244,180)'::box AS place, other.score < 0.25 AS other
  FROM unnest('{orb,sift}'::text[]) AS k,
       LATERAL (SELECT image_local_features((SELECT photo FROM pictures WHERE id = 1), k, 600) AS l) AS a,
       LATERAL (SELECT image_local_features((SELECT photo FROM pictures WHERE id = 3), k, 600) AS l) AS b,
       LATERAL (SELECT image_local_features((SELECT photo FROM pictures WHERE id = 2), k, 600) AS l) AS c,
       match_local_features(a.l, a.l) AS m, match_local_features(a.l, b.l) AS part, match_local_features(a.l, c.l) AS other;

-- What is given.
SELECT image_local_features(NULL) IS NULL AS image, image_local_features(photo, NULL) IS NULL AS kind, image_local_features(photo, 'orb', NULL) IS NULL AS count,
       image_local_features(photo, 'orb', 10, NULL) IS NULL AS mirrored, image_local_features_or_null(NULL) IS NULL AS or_null FROM pictures WHERE id = 1;
SELECT image_local_features(photo, 'orb', 0) FROM pictures WHERE id = 1;
SELECT image_local_features(photo, 'orb', -1) FROM pictures WHERE id = 1;
SELECT image_local_features(photo, 'orb', 10001) FROM pictures WHERE id = 1;
SELECT image_local_features(photo, 'orb', 10000000) FROM pictures WHERE id = 1;
SELECT image_local_features_or_null(photo, 'sift', 0) FROM pictures WHERE id = 1;
SELECT image_local_features(photo, 'surf') FROM pictures WHERE id = 1;
SELECT image_local_features(photo, 'ORB') FROM pictures WHERE id = 1;
SELECT image_local_features(photo, '') FROM pictures WHERE id = 1;
SELECT image_local_features_or_null(photo, 'orb ') FROM pictures WHERE id = 1;
SELECT image_local_features('');
SELECT image_local_features('no picture at all');
SELECT image_local_features('/srv/pictures/a.jpg');
SELECT image_local_features(substr(photo, 1, 100)) FROM pictures WHERE id = 1;
SELECT image_local_features_file('/etc/passwd');
SELECT image_local_features_or_null('') IS NULL AS empty, image_local_features_or_null('junk') IS NULL AS junk,
       image_local_features_or_null(substr(photo, 1, 100)) IS NULL AS cut FROM pictures WHERE id = 1;
SET lookalike.image_cache_size = 0;
SET lookalike.max_image_pixels = 3000;
SELECT image_local_features(photo) FROM pictures WHERE id = 1;
SELECT image_local_features_or_null(photo) IS NULL AS too_large FROM pictures WHERE id = 1;
RESET lookalike.max_image_pixels;

-- Many at once; none is found in no picture.
SELECT i, f = image_local_features(photo, 'sift', 20, true) AS equal
  FROM unnest(ARRAY(SELECT photo FROM pictures ORDER BY id)) WITH ORDINALITY AS p (photo, i)
  JOIN (SELECT f, row_number() OVER () AS i
          FROM image_local_features_batch(ARRAY(SELECT photo FROM pictures ORDER BY id), 'sift', 20, true) AS f) AS x
 USING (i) ORDER BY i;
SELECT count(*) FROM image_local_features_batch('{}');
SELECT count(*), count(f) FROM image_local_features_batch(ARRAY[NULL, NULL]::bytea[]) AS f;
SELECT count(*), count(f), min(feature_count(f)), max(feature_count(f))
  FROM image_local_features_batch(array_fill((SELECT photo FROM pictures WHERE id = 3), ARRAY[100]), max_features => 10) AS f;
SELECT image_local_features_batch(ARRAY[(SELECT photo FROM pictures WHERE id = 1), NULL, 'junk'::bytea]);
SELECT image_local_features_batch(ARRAY[(SELECT photo FROM pictures WHERE id = 1)], 'surf');
SELECT image_local_features_batch(ARRAY[(SELECT photo FROM pictures WHERE id = 1)], 'orb', 0);
SELECT count(*) FROM image_local_features_batch(NULL);
SELECT feature_count(f) FROM image_local_features_batch(ARRAY(SELECT photo FROM pictures WHERE id IN (1, 2)), 'orb', 5) AS f LIMIT 1;
-- Room is made for as many as may be found.
SELECT count(*), bool_and(feature_count(f) > 150) AS many
  FROM image_local_features_batch(array_fill((SELECT photo FROM pictures WHERE id = 1), ARRAY[40]), 'sift', 10000) AS f;
RESET lookalike.image_cache_size;

-- Equal input is extracted once, for each kind, number and mirror.
CREATE TEMP TABLE before AS SELECT * FROM image_worker_stats();
SELECT count(image_local_features(photo, k, n, m)) FROM pictures, (VALUES ('orb', 7, false), ('sift', 7, false), ('orb', 8, false), ('orb', 7, true)) AS v (k, n, m),
       generate_series(1, 3) WHERE id = 2;
SELECT s.requests - b.requests AS requests, s.cache_hits - b.cache_hits AS hits FROM image_worker_stats() AS s, before AS b;
-- What is kept of one is not given to who names an extractor like it.
SELECT image_features(photo, 'local:orb@2:7:0') FROM pictures WHERE id = 2;

-- Generated column.
CREATE TABLE pins (id int PRIMARY KEY, photo bytea, l local_features GENERATED ALWAYS AS (image_local_features(photo, 'orb', 300)) STORED);
INSERT INTO pins SELECT * FROM pictures;
SELECT id, feature_count(l) FROM pins ORDER BY id;
SELECT id FROM pins WHERE within(l, image_local_features((SELECT photo FROM pictures WHERE id = 3), 'orb', 600), 0.7) ORDER BY id;
INSERT INTO pins VALUES (6, 'junk');

-- A trigger.
CREATE TABLE designs (id int PRIMARY KEY, photo bytea, note text, l local_features, d descriptor);
CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON designs
    FOR EACH ROW EXECUTE FUNCTION image_local_features_trigger('photo', 'l', 'orb', '50');
INSERT INTO designs (id, photo) SELECT * FROM pictures;
SELECT id, feature_count(l), l = image_local_features(photo, 'orb', 50) AS right_one FROM designs ORDER BY id;
-- An update of something else does no work; one of the photo does.
DROP TABLE before;
CREATE TEMP TABLE before AS SELECT * FROM image_worker_stats();
UPDATE designs SET note = 'seen';
SELECT s.requests - b.requests AS requests, s.cache_hits - b.cache_hits AS hits FROM image_worker_stats() AS s, before AS b;
UPDATE designs SET photo = squares(3, 30, 30) WHERE id = 1;
UPDATE designs SET photo = NULL WHERE id = 2;
SELECT id, l = image_local_features(photo, 'orb', 50) AS right_one FROM designs WHERE id < 3 ORDER BY id;
INSERT INTO designs (id, photo) VALUES (6, 'junk');
DROP TRIGGER fill ON designs;
CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON designs
    FOR EACH ROW EXECUTE FUNCTION image_local_features_trigger('photo', 'l', 'sift', '50', 'null');
INSERT INTO designs (id, photo) VALUES (6, 'junk'), (7, squares(4, 30, 30));
SELECT id, kind(l), l IS NULL AS is_null FROM designs WHERE id > 5 ORDER BY id;

-- Triggers that make no sense.
CREATE TABLE other (id int, photo bytea, l local_features, d descriptor, words text);
CREATE DOMAIN some_features AS local_features;
ALTER TABLE other ADD of_domain some_features;
CREATE FUNCTION try(VARIADIC arguments text[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'CREATE TRIGGER t BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION image_local_features_trigger('
        || (SELECT coalesce(string_agg(quote_literal(a), ', '), '') FROM unnest(arguments) AS a) || ')';
    INSERT INTO other VALUES (1, (SELECT photo FROM pictures WHERE id = 5));
    DROP TRIGGER t ON other;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT try('photo', 'l', 'orb', '10');
SELECT try('photo', 'l', 'sift', '10000', 'error');
SELECT try('photo', 'l', 'orb');
SELECT try('photo', 'l', 'orb', '10', 'null', 'x');
SELECT try('photo', 'l', 'orb', '10', 'maybe');
SELECT try('photo', 'l', 'surf', '10');
SELECT try('photo', 'l', 'orb', 'ten');
SELECT try('photo', 'l', 'orb', '0');
SELECT try('photo', 'l', 'orb', '10001');
SELECT try('photo', 'l', 'orb', '10000000000');
SELECT try('photos', 'l', 'orb', '10');
SELECT try('photo', 'll', 'orb', '10');
SELECT try('words', 'l', 'orb', '10');
SELECT try('photo', 'd', 'orb', '10');
SELECT try('photo', 'of_domain', 'orb', '10');
SELECT try('photo', 'ctid', 'orb', '10');
CREATE TRIGGER t AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION image_local_features_trigger('photo', 'l', 'orb', '10');
INSERT INTO other VALUES (1, (SELECT photo FROM pictures WHERE id = 5));
DROP TRIGGER t ON other;
-- The other trigger does not fill this column.
CREATE TRIGGER t BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION image_features_trigger('photo', 'l', 'color');
INSERT INTO other VALUES (1, (SELECT photo FROM pictures WHERE id = 5));
SELECT image_local_features_trigger();

-- A drawing of what two pictures share.
SELECT format, width, height, n FROM (VALUES (480, 1), (100, 2)) AS v (size, n),
       LATERAL (SELECT image_draw_matches(a.photo, b.photo, size => v.size) AS file FROM pictures AS a, pictures AS b WHERE a.id = 1 AND b.id = 3) AS d,
       image_info(d.file) ORDER BY n;
SELECT image_draw_matches(NULL, photo) IS NULL AS a, image_draw_matches(photo, NULL) IS NULL AS b, image_draw_matches(photo, photo, size => NULL) IS NULL AS size
  FROM pictures WHERE id = 3;
SELECT image_draw_matches(photo, photo, 'surf') FROM pictures WHERE id = 3;
SELECT image_draw_matches(photo, photo, max_features => 0) FROM pictures WHERE id = 3;
SELECT image_draw_matches(photo, photo, size => 0) FROM pictures WHERE id = 3;
SELECT image_draw_matches(photo, photo, size => 2049) FROM pictures WHERE id = 3;
SELECT image_draw_matches(photo, 'junk') FROM pictures WHERE id = 3;

-- Files of the server are for who may read them.
CREATE ROLE regress_visitor;
SET ROLE regress_visitor;
SELECT image_local_features_file('/etc/passwd');
SELECT feature_count(image_local_features('\x50360a3120310a3235350aff0000'));
RESET ROLE;
DROP ROLE regress_visitor;

DROP TABLE pictures, before, pins, designs, other;
DROP DOMAIN some_features;
DROP FUNCTION squares, plain, try;
