-- Classes: means as prototypes, the nearest of them, and a search in the class that was detected.
CREATE TABLE photos (id int PRIMARY KEY, class text, features descriptor(128));
-- Three directions, and what lies around each.
INSERT INTO photos
SELECT i, (ARRAY['bag', 'hat', 'shoe'])[1 + i % 3],
       (array_fill(0, ARRAY[i % 3]) || 50 || array_fill(0, ARRAY[2 - i % 3])
        || array(SELECT i * (2 * k + 1) % 17 FROM generate_series(1, 125) AS k))::real[]::descriptor
  FROM generate_series(1, 18000) AS i;
CREATE TABLE classes (class text PRIMARY KEY, prototype descriptor(128));
INSERT INTO classes SELECT class, avg(features) FROM photos WHERE id % 2 = 0 GROUP BY class;

-- The other half gets its classes from the means.
SELECT count(*), count(*) FILTER (WHERE p.class = c.class) AS right
  FROM photos AS p,
       LATERAL (SELECT class FROM classes ORDER BY prototype <=> p.features LIMIT 1) AS c
 WHERE p.id % 2 = 1;

-- What a plan says of indexes; versions of PostgreSQL write the rest in their own ways.
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
        CONTINUE WHEN line !~ '(Index|Seq) Scan .*on photos';
        RETURN NEXT rtrim(regexp_replace(substring(line from '(?:Index|Seq) Scan.*'), '\(actual.*', ''));
    END LOOP;
END $$;

-- An index for each class, and one statement that looks into that of the class detected.
CREATE INDEX photos_bag ON photos USING faiss (features descriptor_cosine_ops) WHERE class = 'bag';
CREATE INDEX photos_hat ON photos USING faiss (features descriptor_cosine_ops) WHERE class = 'hat';
CREATE INDEX photos_shoe ON photos USING faiss (features descriptor_cosine_ops) WHERE class = 'shoe';
ANALYZE photos;
PREPARE find(descriptor) AS
WITH detected AS MATERIALIZED (SELECT class FROM classes ORDER BY prototype <=> $1 LIMIT 1)
(SELECT class FROM photos
  WHERE class = 'bag' AND (SELECT class FROM detected) = 'bag' ORDER BY features <=> $1 LIMIT 3)
UNION ALL
(SELECT class FROM photos
  WHERE class = 'hat' AND (SELECT class FROM detected) = 'hat' ORDER BY features <=> $1 LIMIT 3)
UNION ALL
(SELECT class FROM photos
  WHERE class = 'shoe' AND (SELECT class FROM detected) = 'shoe' ORDER BY features <=> $1 LIMIT 3);
SELECT features::text AS hat FROM photos WHERE id = 1000 \gset
SELECT plan_of(format('EXECUTE find(%L)', :'hat'));
EXECUTE find(:'hat');
SELECT class FROM photos WHERE id = 1000;

-- The same by an index that has the class as a filter: the condition may be found at run time.
DROP INDEX photos_bag, photos_hat, photos_shoe;
CREATE INDEX photos_class ON photos USING faiss (features descriptor_cosine_ops, class);
SELECT plan_of(format('SELECT id FROM photos
    WHERE class = (SELECT class FROM classes ORDER BY prototype <=> %1$L LIMIT 1)
    ORDER BY features <=> %1$L LIMIT 3', :'hat'));
DROP FUNCTION plan_of;
DROP TABLE photos, classes;
