-- The trigger that fills a descriptor column.
CREATE FUNCTION ppm(color text) RETURNS bytea LANGUAGE sql AS $$
    SELECT convert_to(E'P6\n16 16\n255\n', 'LATIN1') || decode(repeat(color, 256), 'hex')
$$;
CREATE TABLE designs (id int PRIMARY KEY, photo bytea, note text, features descriptor(240, half));
CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON designs
    FOR EACH ROW EXECUTE FUNCTION image_features_trigger('photo', 'features', 'color');
INSERT INTO designs (id, photo) VALUES (1, ppm('ff0000')), (2, ppm('00ff00')), (3, NULL);
SELECT id, descriptor_kind(features), features = image_features(photo, 'color')::descriptor(240, half) AS right_one
  FROM designs ORDER BY id;

-- An update of something else does no work; one of the photo does.
CREATE TEMP TABLE before AS SELECT * FROM image_worker_stats();
UPDATE designs SET note = 'seen';
UPDATE designs SET photo = ppm('ff0000') WHERE id = 1;
SELECT s.requests - b.requests AS requests, s.cache_hits - b.cache_hits AS hits
  FROM image_worker_stats() AS s, before AS b;
UPDATE designs SET photo = ppm('0000ff') WHERE id = 1;
UPDATE designs SET photo = NULL WHERE id = 2;
UPDATE designs SET photo = ppm('00ffff') WHERE id = 3;
SELECT id, features = image_features(photo, 'color')::descriptor(240, half) AS right_one FROM designs ORDER BY id;

-- Images that cannot be used.
INSERT INTO designs (id, photo) VALUES (4, 'junk');
DROP TRIGGER fill ON designs;
CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON designs
    FOR EACH ROW EXECUTE FUNCTION image_features_trigger('photo', 'features', 'color', 'null');
INSERT INTO designs (id, photo) VALUES (4, 'junk');
SELECT id, features IS NULL AS is_null FROM designs WHERE id = 4;

-- Triggers that make no sense.
CREATE TABLE other (id int, photo bytea, features descriptor(10), words text);
CREATE FUNCTION try(VARIADIC arguments text[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'CREATE TRIGGER t BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION image_features_trigger('
        || (SELECT coalesce(string_agg(quote_literal(a), ', '), '') FROM unnest(arguments) AS a) || ')';
    INSERT INTO other VALUES (1, ppm('ff0000'));
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT try('photo', 'features', 'color');
SELECT try('photo', 'features', 'phash');
SELECT try('photo', 'features');
SELECT try('photo', 'features', 'color', 'maybe');
SELECT try('photos', 'features', 'color');
SELECT try('words', 'features', 'color');
SELECT try('photo', 'words', 'color');
SELECT try('photo', 'ctid', 'color');
CREATE TRIGGER t AFTER INSERT ON other
    FOR EACH ROW EXECUTE FUNCTION image_features_trigger('photo', 'features', 'color');
INSERT INTO other VALUES (1, ppm('ff0000'));
SELECT image_features_trigger();
DROP TABLE designs, other, before;
DROP FUNCTION ppm, try;
