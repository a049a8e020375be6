-- Window functions that number clusters.
SET jit = off;
CREATE TABLE points (id int PRIMARY KEY, blob int, v descriptor(3));
-- Five groups of 10, 20, ... 50 rows that lie apart.
INSERT INTO points SELECT row_number() OVER (), blob,
    ARRAY[blob * 100 + i % 7, blob * blob * 30 + i % 5, i % 3]::real[]::descriptor
    FROM generate_series(1, 5) AS blob, generate_series(1, blob * 10) AS i;

-- k-means: the largest cluster is 0.
SELECT blob, c, count(*) FROM (SELECT blob, kmeans(v, 5) OVER () AS c FROM points) AS x
    GROUP BY blob, c ORDER BY blob, c;
-- Without k, as many as fit.
SELECT blob, c, count(*) FROM (SELECT blob, kmeans(v, NULL) OVER () AS c FROM points) AS x
    GROUP BY blob, c ORDER BY blob, c;
-- Centroids.
SELECT c, avg(v), count(*) FROM (SELECT v, kmeans(v, 5) OVER () AS c FROM points) AS x
    GROUP BY c ORDER BY c LIMIT 2;
-- Each partition by itself; the frame does not matter.
SELECT blob > 2 AS half, count(DISTINCT c), max(c) FROM (
    SELECT blob, kmeans(v, 3) OVER (PARTITION BY blob > 2 ORDER BY id ROWS 1 PRECEDING) AS c
    FROM points) AS x GROUP BY half ORDER BY half;
-- The order of the rows changes nothing.
SELECT count(*) FROM (
    SELECT id, kmeans(v, 4) OVER (ORDER BY id) AS a FROM points) AS x JOIN (
    SELECT id, kmeans(v, 4) OVER (ORDER BY -id) AS b FROM points) AS y USING (id) JOIN (
    SELECT id, kmeans(v, 4) OVER (ORDER BY md5(id::text)) AS c FROM points) AS z USING (id)
    WHERE a = b AND b = c;

-- The other kinds.
SELECT blob, c, count(*) FROM (
    SELECT blob, kmeans(v::descriptor(half), 5) OVER () AS c FROM points) AS x
    GROUP BY blob, c ORDER BY blob, c;
SELECT v, kmeans(v, 2) OVER () FROM (VALUES ('b000000000001'::descriptor), ('b000000000010'),
    ('b111111111110'), ('b111111111100'), ('b000000000000')) AS t(v);
-- Cosine looks at directions; a row of length 0 has none.
SELECT v, kmeans(v, 2, metric => 'cosine') OVER () AS cosine, kmeans(v, 2) OVER () AS l2
    FROM (VALUES ('[1,0]'::descriptor), ('[100,1]'), ('[0,2]'), ('[1,100]'), ('[0,0]'),
        ('[2,0]'), ('[3,0]')) AS t(v);

-- No more clusters than different rows, -0 and 0 being the same.
SELECT id, v, kmeans(v, 10000000) OVER () AS many, kmeans(v, 1) OVER () AS one,
    kmeans(v, NULL) OVER () AS chosen
    FROM (VALUES (1, '[1,0]'::descriptor), (2, '[1,-0]'), (3, NULL), (4, '[7,7]')) AS t(id, v);
SELECT DISTINCT kmeans('[1,2]'::descriptor, 3) OVER () AS fixed,
    kmeans('[1,2]'::descriptor, NULL) OVER () AS chosen,
    kmeans('[0,0]'::descriptor, 3, 'cosine') OVER () AS nowhere,
    kmeans(NULL::descriptor, 3) OVER () AS empty FROM generate_series(1, 100);
SELECT kmeans(v, 3) OVER () FROM points WHERE false;
SELECT v, kmeans(v, 2) OVER () FROM (VALUES ('[1e-30]'::descriptor), ('[2e-30]'), ('[3e-30]'))
    AS t(v) ORDER BY v;

-- What cannot be.
SELECT kmeans(v, 0) OVER () FROM points;
SELECT kmeans(v, -1) OVER () FROM points;
SELECT kmeans(v, 3) FROM points;
SELECT kmeans(v, 3, 'ip') OVER () FROM points;
SELECT kmeans(v, 3, 'hamming') OVER () FROM points;
SELECT kmeans('b101'::descriptor, 3, 'cosine') OVER ();
SELECT kmeans(v, 3) OVER () FROM (VALUES ('[1]'::descriptor), ('b1')) AS t(v);
SELECT kmeans(v, 3) OVER () FROM (VALUES ('[1]'::descriptor), ('[1]'::descriptor(half))) AS t(v);
SELECT kmeans(v, 3) OVER () FROM (VALUES ('[1]'::descriptor), ('[1,2]')) AS t(v);
SELECT kmeans(v, 2) OVER () FROM (VALUES ('[1e30]'::descriptor), ('[2e30]'), ('[3e30]')) AS t(v);
SET maintenance_work_mem = '1MB';
SELECT kmeans(v, 3) OVER () FROM points;
RESET maintenance_work_mem;
-- The session goes on.
SELECT max(c) FROM (SELECT kmeans(v, 5) OVER (PARTITION BY id % 4) AS c FROM points) AS x;

-- DBSCAN: dense clusters, and NULL between them.
INSERT INTO points VALUES (1000, 0, '[-500,-500,0]'), (1001, 0, '[700,-500,0]'), (1002, 0, NULL);
SELECT blob, c, count(*) FROM (SELECT blob, dbscan(v, 8, 4) OVER () AS c FROM points) AS x
    GROUP BY blob, c ORDER BY blob, c;
-- Each row is core where one is enough; none where a thousand are.
SELECT count(DISTINCT c), count(c), count(*) FROM (
    SELECT dbscan(v, 0, 1) OVER () AS c FROM points) AS x;
SELECT count(c) FROM (SELECT dbscan(v, 8, 1000) OVER () AS c FROM points) AS x;
SELECT count(DISTINCT c), count(c) FROM (
    SELECT dbscan(v, 'infinity', 2) OVER () AS c FROM points) AS x;
-- A border row goes to the nearest core row, in any order.
SELECT v, dbscan(v, 3, 4) OVER (ORDER BY v) AS up, dbscan(v, 3, 4) OVER (ORDER BY v DESC) AS down
    FROM (VALUES ('[0]'::descriptor), ('[1]'), ('[2]'), ('[4.9]'), ('[7.1]'), ('[10]'), ('[11]'),
        ('[12]'), ('[12.5]'), ('[40]')) AS t(v) ORDER BY v;
-- The other kinds and metrics.
SELECT v, dbscan(v, 1, 2) OVER () AS hamming, dbscan(v, 0.5, 2, metric => 'jaccard') OVER () AS jaccard
    FROM (VALUES ('x01'::descriptor), ('x03'), ('x07'), ('xf0'), ('xf8'), ('x00'), (NULL)) AS t(v);
SELECT v, dbscan(v, 0.01, 2, 'cosine') OVER () AS cosine, dbscan(v::descriptor(half), 2, 2) OVER () AS half
    FROM (VALUES ('[1,0]'::descriptor), ('[100,1]'), ('[0,2]'), ('[1,100]'), ('[0,0]')) AS t(v);
SELECT DISTINCT dbscan('[1,2]'::descriptor, 0, 100) OVER () AS equal,
    dbscan('[0,0]'::descriptor, 1, 1, 'cosine') OVER () AS nowhere,
    dbscan(NULL::descriptor, 1, 1) OVER () AS empty FROM generate_series(1, 100);
SELECT dbscan(v, 1, 1) OVER () FROM points WHERE false;
SELECT dbscan(v, -1, 2) OVER () FROM points;
SELECT dbscan(v, 'NaN', 2) OVER () FROM points;
SELECT dbscan(v, NULL, 2) OVER () FROM points;
SELECT dbscan(v, 1, 0) OVER () FROM points;
SELECT dbscan(v, 1, NULL) OVER () FROM points;
SELECT dbscan(v, 1, 2) FROM points;
SELECT dbscan(v, 1, 2, 'ip') OVER () FROM points;
SELECT dbscan(v, 1, 2, 'jaccard') OVER () FROM points;
SELECT dbscan(v, 1, 2) OVER () FROM (VALUES ('[1]'::descriptor), ('b1')) AS t(v);
SELECT dbscan(v, 1, 2) OVER () FROM (VALUES ('[1]'::descriptor), ('[1,2]')) AS t(v);
SET maintenance_work_mem = '1MB';
SELECT max(dbscan) FROM (
    SELECT dbscan(array_fill(i, ARRAY[300])::descriptor, 1, 2) OVER () FROM generate_series(1, 1000) AS i) AS x;
RESET maintenance_work_mem;
DROP TABLE points;
