-- Element after element, then by dimensions; real and half by value; bit after both.
SELECT '[1,2]'::descriptor < '[1,3]' AS lt, '[1,2]'::descriptor <= '[1,2]' AS le,
    '[1,2]'::descriptor = '[1,2]' AS eq, '[1,2]'::descriptor <> '[1,2,0]' AS ne,
    '[1,2,0]'::descriptor > '[1,2]' AS gt, '[2]'::descriptor >= '[1,9]' AS ge;
SELECT '[1,2]'::descriptor < '[1,2]' AS lt, '[1,3]'::descriptor <= '[1,2]' AS le,
    '[1,2]'::descriptor = '[1,3]' AS eq, '[1,2]'::descriptor <> '[1,2]' AS ne,
    '[1,2]'::descriptor > '[1,2]' AS gt, '[1]'::descriptor >= '[1,0]' AS ge;
SELECT descriptor_cmp('[1,2]', '[1,3]') < 0 AS less, descriptor_cmp('[1]', '[1]') = 0 AS same,
    descriptor_cmp('b1', '[9]') > 0 AS bit_after, descriptor_cmp('[9]', 'b0') < 0 AS real_before;
SELECT '[0.5]'::descriptor = '[0.5]'::descriptor(1, half) AS same_value,
    '[0.1]'::descriptor = '[0.1]'::descriptor(1, half) AS rounded,
    '[0]'::descriptor = '[-0]' AS zeros,
    '[1]'::descriptor = 'b1' AS kinds, 'b1'::descriptor = 'b10' AS lengths,
    'x0f'::descriptor = 'b00001111' AS texts;
-- Equal values hash alike.
SELECT descriptor_hash('[0.5,0]') = descriptor_hash('[0.5,-0]'::descriptor(2, half)) AS hash,
    descriptor_hash_extended('[0.5,0]', 7)
    = descriptor_hash_extended('[0.5,-0]'::descriptor(2, half), 7)
        AS seeded,
    descriptor_hash_extended('[0.5]', 7) <> descriptor_hash_extended('[0.5]', 8) AS seed_matters,
    descriptor_hash_extended('[1]', 0) & 4294967295
    = descriptor_hash('[1]')::bigint & 4294967295 AS low;
SELECT count(DISTINCT descriptor_hash(ARRAY[i, -i]::descriptor)) > 990 AS spread,
    count(DISTINCT descriptor_hash(i::bit(32)::descriptor)) > 990 AS bit_spread
    FROM generate_series(1, 1000) i;
SELECT descriptor_hash(('[' || repeat('1,', 300) || '1]')::descriptor) =
    descriptor_hash(('[' || repeat('1,', 300) || '1]')::descriptor(301, half)) AS long_values;

CREATE TABLE pool (id integer, v descriptor);
INSERT INTO pool VALUES (1, '[2]'), (2, 'b1'), (3, '[1,1]'), (4, NULL), (5, '[1]'),
    (6, 'b01111111'),
    (7, '[-1]'), (8, 'b100000000'), (9, '[1]'::descriptor(1, half)),
    (10, '[1.5]'::descriptor(1, half)),
    (11, 'b011111110');
SELECT id, v FROM pool ORDER BY v, id;
SELECT id, v FROM pool ORDER BY v DESC NULLS LAST, id;
SELECT count(*), v FROM pool GROUP BY v HAVING count(*) > 1;
SELECT count(DISTINCT v) FROM pool;
SELECT DISTINCT v FROM pool WHERE v < '[1.5]' ORDER BY v;
SELECT sign(descriptor_cmp(a.v, b.v)) = -sign(descriptor_cmp(b.v, a.v)) AS antisymmetric, count(*)
    FROM pool a, pool b WHERE a.v IS NOT NULL AND b.v IS NOT NULL GROUP BY 1;

-- Hash join, merge join, hash aggregate, hash and btree indexes give the same rows.
SET enable_mergejoin = off; SET enable_nestloop = off;
EXPLAIN (COSTS OFF) SELECT a.id, b.id FROM pool a JOIN pool b USING (v) WHERE a.id < b.id;
SELECT a.id, b.id FROM pool a JOIN pool b USING (v) WHERE a.id < b.id;
RESET enable_mergejoin; SET enable_hashjoin = off;
SELECT a.id, b.id FROM pool a JOIN pool b USING (v) WHERE a.id < b.id;
RESET enable_hashjoin; RESET enable_nestloop;
SET enable_sort = off;
SELECT count(*) FROM (SELECT v FROM pool GROUP BY v) AS grouped;
RESET enable_sort;
SET enable_seqscan = off; SET enable_bitmapscan = off;
CREATE INDEX pool_hash ON pool USING hash (v);
EXPLAIN (COSTS OFF) SELECT id FROM pool WHERE v = '[1]' ORDER BY id;
SELECT id FROM pool WHERE v = '[1]' ORDER BY id;
DROP INDEX pool_hash;
CREATE INDEX pool_btree ON pool (v);
EXPLAIN (COSTS OFF) SELECT id, v FROM pool WHERE v >= '[1]' AND v < 'b1' ORDER BY v;
SELECT id, v FROM pool WHERE v >= '[1.5]' AND v < 'b1' ORDER BY v;
SELECT id FROM pool WHERE v = '[1]' ORDER BY id;
RESET enable_seqscan; RESET enable_bitmapscan;
ANALYZE pool;
CREATE UNIQUE INDEX ON pool (v);
DELETE FROM pool WHERE id = 9;
CREATE UNIQUE INDEX ON pool (v);
INSERT INTO pool VALUES (12, '[1]'::descriptor(1, half));
INSERT INTO pool VALUES (12, '[1]') ON CONFLICT DO NOTHING;
DROP TABLE pool;

-- Hash partitions find the row of another kind with the same value.
CREATE TABLE parts (v descriptor) PARTITION BY HASH (v);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT ARRAY[i]::descriptor FROM generate_series(1, 100) i;
SELECT count(*) FROM generate_series(1, 100) i
    JOIN parts ON v = ARRAY[i]::descriptor(1, half);
SELECT count(*) FROM parts WHERE v = '[42]'::descriptor(1, half);
DROP TABLE parts;

-- A sort of stored values keeps no copy of each value that it looked at.
CREATE TABLE many AS SELECT ARRAY[sin(i), i, 0, 0, 0, 0, 0, 0]::descriptor AS v
    FROM generate_series(1, 50000) i;
SET work_mem = '64MB';
SELECT (SELECT sum(total_bytes) < 40000000 FROM pg_backend_memory_contexts
    WHERE v IS NOT NULL) AS small
    FROM (SELECT v FROM many ORDER BY v OFFSET 49999) AS last;
RESET work_mem;
DROP TABLE many;
