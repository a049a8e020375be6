-- Local features: their text, what they consist of, how two sets compare.
CREATE FUNCTION made(of_kind text, seed int, count int, shift int DEFAULT 0, header text DEFAULT '512x512')
    RETURNS local_features LANGUAGE sql IMMUTABLE AS $$
    SELECT (of_kind || '@1 ' || header || ' {' || coalesce(string_agg(format('(%s,%s,%s,%s,%s,%s)',
            (hashint4(seed * 1000 + i) & 32767) + shift, hashint4(seed * 1000 - i) & 32767, 100 + i % 50, i * 37 % 256,
            255 - i * 255 / count, (SELECT string_agg(md5(seed || ' ' || i || ' ' || k), '' ORDER BY k)
                FROM generate_series(1, CASE of_kind WHEN 'orb' THEN 2 ELSE 8 END) AS k)), ',' ORDER BY i), '')
        || '}')::local_features FROM generate_series(1, count) AS i
$$;

-- Text in and out.
SELECT 'orb@1 640x480 {}'::local_features AS empty, 'sift@1 1x1073741824 mirrored {}'::local_features AS mirrored;
SELECT (' orb @ 1 640 x 480' || E'\n{ ( 1 , 2 , 3 , 4 , 5 ,\t' || repeat('0F', 32) || ' ) } ')::local_features;
SELECT f, f::text::local_features = f AS same
  FROM (SELECT ('orb@1 640x480 mirrored {(65535,49151,255,255,255,' || repeat('0f', 32) || '),(0,0,0,0,0,'
            || repeat('ab', 32) || ')}')::local_features AS f) AS x;
SELECT k, n, feature_count(f), kind(f), f::text::local_features = f AS same, length(local_features_send(f)) = 16 + n * (CASE k WHEN 'orb' THEN 39 ELSE 135 END) AS size
  FROM (SELECT k, n, made(k, 1, n) AS f FROM unnest('{orb,sift}'::text[]) AS k, unnest('{0,1,150,10000}'::int[]) AS n) AS x;

-- Mistakes.
SELECT ''::local_features;
SELECT 'surf@1 640x480 {}'::local_features;
SELECT 'orb 1 640x480 {}'::local_features;
SELECT 'orb@256 640x480 {}'::local_features;
SELECT 'orb@1 640 480 {}'::local_features;
SELECT 'orb@1 640x480 {'::local_features;
SELECT 'orb@1 640x480 {} {}'::local_features;
SELECT 'orb@1 640x480 {(70000,2,3,4,5,00)}'::local_features;
SELECT 'orb@1 640x480 {(1,2,3,4,5,00)}'::local_features;
SELECT ('orb@1 640x480 {(1,2,3,4,5,' || repeat('é', 64) || ')}')::local_features;
SELECT ('sift@1 640x480 {(1,2,3,4,5,' || repeat('0f', 32) || ')}')::local_features;
SELECT ('orb@1 640x480 {' || repeat('(', 10001))::local_features;
SELECT 'orb@3 640x480 {}'::local_features;
SELECT 'sift@2 640x480 {}'::local_features;
SELECT 'orb@1 0x480 {}'::local_features;
SELECT 'orb@1 640x1073741825 {}'::local_features;
SELECT ('orb@1 640x480 {(1,49152,3,4,5,' || repeat('0f', 32) || ')}')::local_features;
SELECT ('orb@1 640x480 {(1,2,3,4,5,' || repeat('0f', 32) || '),(1,2,3,4,6,' || repeat('0f', 32) || ')}')::local_features;

-- What they consist of. Numbers are exact: half a picture, a quarter of a turn, half a response.
CREATE TABLE sets (id int PRIMARY KEY, l local_features);
INSERT INTO sets SELECT i, ('orb@1 512x256 ' || m || '{(0,0,255,0,255,' || repeat('00', 32) || '),(32768,128,239,64,247,'
    || repeat('0f', 32) || '),(65408,32640,191,128,239,' || repeat('f0', 32) || ')}')::local_features
  FROM (VALUES (1, ''), (2, 'mirrored ')) AS v (i, m);
INSERT INTO sets VALUES (3, 'orb@1 512x256 {}'), (4, NULL);
SELECT id, feature_count(l), kind(l) FROM sets ORDER BY id;
SELECT id, x, y, scale, angle, strength, descriptor_kind(descriptor) AS kind, descriptor FROM sets, features(l) ORDER BY id, y;
SELECT x, y, scale, angle, strength, descriptor_kind(descriptor) AS kind, descriptor = (SELECT array_agg(i)::real[]::descriptor FROM generate_series(0, 127) AS i) AS numbers
  FROM features(('sift@1 16x32 {(32767,65535,15,255,255,' || (SELECT string_agg(lpad(to_hex(i), 2, '0'), '' ORDER BY i)
    FROM generate_series(0, 127) AS i) || ')}')::local_features);
SELECT (features(l)).x FROM sets WHERE id IN (1, 3);

SELECT id, n, strongest(l, n) = l AS all_of_them, feature_count(strongest(l, n)), (SELECT min(strength) FROM features(strongest(l, n)))
  FROM sets, unnest('{0,1,2,3,4,2147483647}'::int[]) AS n WHERE id IN (1, 3) ORDER BY id, n;
SELECT strongest(l, 0), kind(strongest(l, 0)) FROM sets WHERE id = 2;
SELECT strongest(l, -1) FROM sets WHERE id = 1;
SELECT strongest(l, NULL) IS NULL AS of_null FROM sets WHERE id = 1;

SELECT box, array(SELECT x FROM features(cut(l, box::box))) AS normal, array(SELECT x FROM features(cut((SELECT l FROM sets WHERE id = 2), box::box))) AS mirrored
  FROM sets, unnest('{"(0,0),(512,256)","(0,0),(0,0)","(256,1),(256,1)","(255,0),(0,10)","(256,0),(512,512)","(600,0),(700,100)","(-Infinity,-Infinity),(Infinity,Infinity)","(NaN,NaN),(NaN,NaN)","(0,0),(NaN,256)"}'::text[]) AS box
 WHERE id = 1;
SELECT cut(l, '(0,0),(100,100)') FROM sets WHERE id = 3;
SELECT cut(l, NULL) IS NULL AS of_null, cut(cut(l, '(0,0),(300,200)'), '(200,0),(512,256)') = cut(l, '(200,0),(300,200)') AS of_a_cut FROM sets WHERE id = 1;

-- Equality: of kind, size, mirror and all features.
SELECT a = b AS eq, a <> b AS ne FROM (VALUES ('orb@1 1x1 {}'::local_features, 'orb@1 1x1 { }'::local_features),
    ('orb@1 1x1 {}', 'orb@1 1x2 {}'), ('orb@1 1x1 {}', 'sift@1 1x1 {}'), ('orb@1 1x1 {}', 'orb@1 1x1 mirrored {}'),
    ('orb@1 1x1 {}', NULL)) AS v (a, b);
SELECT made('orb', 1, 50) = made('orb', 1, 50) AS eq, made('orb', 1, 50) = made('orb', 1, 49) AS eq, made('orb', 1, 50) = made('orb', 2, 50) AS eq,
       local_features_hash(made('orb', 1, 50)) = local_features_hash(made('orb', 1, 50)) AS hash,
       local_features_hash(made('orb', 1, 50)) = local_features_hash(made('orb', 1, 49)) AS hash,
       local_features_hash_extended(made('orb', 1, 50), 0) & 4294967295 = local_features_hash(made('orb', 1, 50))::bigint & 4294967295 AS extended,
       local_features_hash_extended(made('orb', 1, 50), 1) = local_features_hash_extended(made('orb', 1, 50), 2) AS seeds;
-- Two versions of one kind: other values, as far apart as if they were of one.
SELECT old = new AS same, old <-> new = old <-> old AS compared
  FROM (SELECT made('orb', 1, 50) AS old, replace(made('orb', 1, 50)::text, 'orb@1', 'orb@2')::local_features AS new) AS x;
CREATE TABLE many AS SELECT i AS id, made('orb', i % 7, 40) AS l FROM generate_series(1, 70) AS i;
SELECT count(*) FROM (SELECT DISTINCT l FROM many) AS x;
SELECT feature_count(l), count(*) FROM many GROUP BY l ORDER BY 2;
SET enable_mergejoin = off;
SET enable_nestloop = off;
SELECT count(*) FROM many AS a JOIN many AS b USING (l);
RESET enable_mergejoin;
RESET enable_nestloop;
CREATE INDEX many_l ON many USING hash (l);
SET enable_seqscan = off;
SELECT array_agg(id ORDER BY id) FROM many WHERE l = made('orb', 3, 40);
RESET enable_seqscan;
-- There is no order.
SELECT l FROM many ORDER BY l LIMIT 1;
SELECT count(DISTINCT l) FROM many;
CREATE INDEX ON many (l);

-- How far they are apart.
SELECT k, count, d < 0.2 AS near, d > 0 AS not_zero, m.matches, m.inliers, m.score = 1 - d AS score, m.mirrored,
       array(SELECT round(x::numeric, 6) FROM unnest(transform) AS x) AS transform, place ~= '((0,0),(512,0),(512,512),(0,512))' AS place
  FROM (SELECT k, count, made(k, 1, count) AS l FROM unnest('{orb,sift}'::text[]) AS k, unnest('{100,300}'::int[]) AS count) AS x,
       LATERAL (SELECT l <-> l AS d, local_distance(l, l)) AS y, match_local_features(l, l) AS m;
-- b lies in a, moved by an eighth of the picture, half as large in pixels.
SELECT m.matches, m.inliers, m.score > 0.8 AS found, array(SELECT round(x::numeric, 4) FROM unnest(transform) AS x) AS transform,
       npoints(place), round(area(box(place))) AS area, mirrored
  FROM match_local_features(made('orb', 1, 200), made('orb', 1, 200, 8192, '256x256')) AS m;
SELECT array(SELECT round(x::numeric, 4) FROM unnest(transform) AS x) AS transform, mirrored, round(area(box(place))) AS area
  FROM match_local_features(made('orb', 1, 200), made('orb', 1, 200, 8192, '512x512 mirrored')) AS m;
SELECT mirrored FROM match_local_features(made('orb', 1, 20, 0, '512x512 mirrored'), made('orb', 1, 20, 0, '512x512 mirrored'));
-- Nothing in common.
SELECT m.matches, m.inliers, m.score, m.transform, m.place, made('orb', 1, 200) <-> made('orb', 2, 200) AS distance
  FROM match_local_features(made('orb', 1, 200), made('orb', 2, 200)) AS m;
SELECT a <-> b AS distance, within(a, b, 1) AS within, within(a, b, 0.999) AS within, match_local_features(a, b)
  FROM (VALUES (made('orb', 1, 20), 'orb@1 1x1 {}'::local_features), ('orb@1 1x1 {}', 'orb@1 1x1 {}')) AS v (a, b);
SELECT a <-> b IS NULL AS distance, local_distance(b, a) IS NULL AS distance, within(a, b, 1) IS NULL AS within, within(a, a, NULL) IS NULL AS within,
       match_local_features(a, b) IS NULL AS match, feature_count(b) IS NULL AS count, kind(b) IS NULL AS kind
  FROM (VALUES (made('orb', 1, 20), NULL::local_features)) AS v (a, b);

-- Kinds are not compared, not even when a set is empty.
SELECT made('orb', 1, 10) <-> made('sift', 1, 10);
SELECT 'sift@1 1x1 {}'::local_features <-> 'orb@1 1x1 {}';
SELECT within(made('orb', 1, 10), made('sift', 1, 10), 1);
SELECT match_local_features(made('orb', 1, 10), made('sift', 1, 10));

-- Radii.
SELECT r, within(a, a, r) FROM made('orb', 1, 100) AS a, unnest('{-Infinity,-1,0,0.5,1,Infinity}'::float8[]) AS r;
SELECT within(a, a, 'NaN') FROM made('orb', 1, 100) AS a;

-- A search. Features are stored outside of their rows, or within them; the query, too.
CREATE TABLE pins (id int PRIMARY KEY, l local_features, n int GENERATED ALWAYS AS (feature_count(l)) STORED,
    few local_features GENERATED ALWAYS AS (strongest(l, 3)) STORED);
INSERT INTO pins SELECT i, made('orb', i, CASE WHEN i % 2 = 0 THEN 300 ELSE 30 END) FROM generate_series(1, 12) AS i;
INSERT INTO pins VALUES (13, 'orb@1 512x512 {}'), (14, NULL), (15, made('orb', 6, 200, 4096)), (16, made('orb', 6, 120, 1));
SELECT id, n, feature_count(few) FROM pins WHERE id IN (1, 2, 13, 14) ORDER BY id;
SELECT id FROM pins ORDER BY l <-> (SELECT l FROM pins WHERE id = 6), id LIMIT 3;
SELECT id FROM pins ORDER BY (SELECT l FROM pins WHERE id = 6) <-> l, id LIMIT 3;
SELECT id FROM pins ORDER BY l <-> made('orb', 9, 30), id LIMIT 1;
SELECT id FROM pins WHERE within(l, (SELECT l FROM pins WHERE id = 6), 0.7) ORDER BY id;
SELECT count(*) AS pairs, count(*) FILTER (WHERE a.l <-> b.l = b.l <-> a.l) AS same_in_either_order,
       count(*) FILTER (WHERE a.l <-> b.l = strongest(a.l, 10000) <-> strongest(b.l, 10000)) AS same_wherever_stored,
       count(*) FILTER (WHERE within(a.l, b.l, a.l <-> b.l)) AS within_their_distance
  FROM pins AS a, pins AS b WHERE a.id <> 14 AND b.id <> 14;
SELECT count(*) FROM pins AS a JOIN pins AS b ON within(a.l, b.l, 0.7) AND a.id < b.id;
PREPARE nearest(local_features) AS SELECT id FROM pins ORDER BY l <-> $1, id LIMIT 2;
EXECUTE nearest(made('orb', 4, 100));

-- COPY as text.
CREATE TABLE copied (l local_features);
COPY copied FROM stdin;
orb@1 512x256 mirrored {(0,0,255,0,255,0000000000000000000000000000000000000000000000000000000000000000)}
\N
sift@1 3x2000 {}
\.
COPY copied TO stdout;
COPY copied FROM stdin;
orb@1 512x256 {(1,2)}
\.

-- Domains, arrays, rows.
CREATE DOMAIN some_features AS local_features CHECK (feature_count(VALUE) > 0);
SELECT kind('orb@1 1x1 {}'::some_features);
SELECT feature_count(made('orb', 1, 5)::some_features), made('orb', 1, 5)::some_features <-> made('orb', 2, 5) AS distance;
SELECT ARRAY['orb@1 1x1 {}', 'sift@1 2x2 mirrored {}', NULL]::local_features[], ROW('orb@1 1x1 {}'::local_features);
SELECT (ARRAY[made('orb', 1, 2), made('orb', 1, 3)])[2] = made('orb', 1, 3) AS element,
       '{"orb@1 1x1 {}"}'::local_features[] = ARRAY['orb@1 1x1 {}'::local_features] AS equal;

-- Bytes on disk are not trusted.
CREATE CAST (bytea AS local_features) WITHOUT FUNCTION;
CREATE FUNCTION fault_of(stored bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    PERFORM stored::local_features <-> 'orb@1 1x1 {}';
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ' ' || SQLERRM || ': ' || detail;
END $$;
SELECT fault_of(stored) FROM unnest(ARRAY['', '\x0101', '\x01010000000000000100000001000000', '\x03010000000000000100000001000000',
    '\x01030000000000000100000001000000', '\x01010000ffffffff0100000001000000', '\x01010000010000000100000001000000',
    '\x01010000000000000000000001000000']::bytea[]) WITH ORDINALITY AS x (stored, i) ORDER BY i;
SELECT feature_count('\x0101'::bytea::local_features);
SELECT '\x0101'::bytea::local_features = 'orb@1 1x1 {}' AS eq;
DROP CAST (bytea AS local_features);

-- What the extension brings: the list is here so that none is lost or changed unseen.
SELECT pg_describe_object(classid, objid, 0) COLLATE "C" AS object FROM pg_depend
    WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
    AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'lookalike')
    AND pg_describe_object(classid, objid, 0) ~ 'local_'
    AND pg_describe_object(classid, objid, 0) !~ '^type .*\[\]$'
    ORDER BY 1;
-- Every function is immutable, strict and safe in parallel.
SELECT p.oid::regprocedure FROM pg_proc AS p JOIN pg_depend AS d ON d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension AS e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_proc'::regclass AND extname = 'lookalike' AND prokind = 'f'
    AND 'local_features'::regtype = ANY (prorettype || proargtypes::oid[])
    AND proname !~ '^image_' AND NOT (provolatile = 'i' AND proparallel = 's' AND proisstrict);
SELECT oprname, oprcom::regoperator, oprnegate::regoperator, oprrest, oprjoin, oprcanhash, oprcanmerge
    FROM pg_operator WHERE oprleft = 'local_features'::regtype ORDER BY oprname COLLATE "C";
SELECT amname, opcname, opcdefault, amvalidate(pg_opclass.oid) FROM pg_opclass JOIN pg_am AS a ON a.oid = opcmethod
    WHERE opcintype = 'local_features'::regtype;

DROP TABLE sets, many, pins, copied;
DROP DOMAIN some_features;
DROP FUNCTION made, fault_of;
