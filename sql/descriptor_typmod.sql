CREATE TABLE items (
    id integer PRIMARY KEY,
    anything descriptor,
    reals descriptor(3),
    halves descriptor(3, half),
    bits descriptor(12, bit)
);
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
    WHERE attrelid = 'items'::regclass AND attnum > 0 ORDER BY attnum;
SELECT NULL::descriptor(3, REAL), NULL::descriptor(3, 'Half'), NULL::descriptor(64000, bit),
    NULL::descriptor(16000), NULL::descriptor(1, half);

INSERT INTO items VALUES (1, '[1,2]', '[1,2,3]', '[0.1,0.2,0.3]', 'xabc');
INSERT INTO items VALUES (2, 'b1', NULL, NULL, NULL);
SELECT * FROM items ORDER BY id;
SELECT descriptor_kind(anything), descriptor_kind(reals), descriptor_kind(halves),
    descriptor_kind(bits) FROM items WHERE id = 1;

-- Wrong dimensions, wrong kind.
INSERT INTO items (id, reals) VALUES (3, '[1,2]');
INSERT INTO items (id, reals) VALUES (3, '[1,2,3,4]');
INSERT INTO items (id, halves) VALUES (3, '[1,2]');
INSERT INTO items (id, bits) VALUES (3, 'b1');
INSERT INTO items (id, reals) VALUES (3, 'x0f0');
INSERT INTO items (id, bits) VALUES (3, '[1,2,3]');
-- A text that is wrong in itself is reported before its size.
INSERT INTO items (id, reals) VALUES (3, '[1,x]');
UPDATE items SET reals = anything WHERE id = 1;
UPDATE items SET reals = anything WHERE id = 2;

-- Assignment converts between real and half.
INSERT INTO items (id, reals) VALUES (4, '[0.1,0.5,70000]');
UPDATE items SET halves = reals WHERE id = 4;
UPDATE items SET reals = '[0.1,0.5,1000]', halves = '[0.1,0.5,1000]' WHERE id = 4;
UPDATE items SET halves = reals, reals = halves WHERE id = 4;
SELECT reals, halves FROM items WHERE id = 4;

-- Explicit casts do the same.
SELECT '[1,2,3]'::descriptor::descriptor(3, half), '[1,2,3]'::descriptor(3);
SELECT '[1,2,3]'::descriptor::descriptor(2);
SELECT '[1,2,3]'::descriptor::descriptor(3, bit);
SELECT 'b101'::descriptor::descriptor(3);
SELECT 'b101'::descriptor::descriptor(3, half);

-- ALTER TABLE converts a column, or refuses.
CREATE TABLE columns (v descriptor);
INSERT INTO columns VALUES ('[0.1,2,3]'), ('[4,5,6]');
ALTER TABLE columns ALTER v TYPE descriptor(2);
ALTER TABLE columns ALTER v TYPE descriptor(3);
ALTER TABLE columns ALTER v TYPE descriptor(3, half);
SELECT v, descriptor_kind(v) FROM columns;
ALTER TABLE columns ALTER v TYPE descriptor;
-- A bare column keeps the kind of each value.
SELECT v, descriptor_kind(v) FROM columns;
DROP TABLE columns;

-- Elements of an array and domains are checked too.
SELECT '{"[1,2]","[3,4]"}'::descriptor(2)[];
SELECT '{"[1,2]","[3]"}'::descriptor(2)[];
CREATE DOMAIN pair AS descriptor(2, half);
SELECT '[1,0.1]'::pair;
SELECT '[1]'::pair;
DROP DOMAIN pair;

-- A kind without dimensions: any number of them.
CREATE TABLE kinds (id integer PRIMARY KEY, reals descriptor(real), halves descriptor(half),
    bits descriptor(BIT), listed descriptor(half)[]);
SELECT attname, format_type(atttypid, atttypmod), atttypmod FROM pg_attribute
    WHERE attrelid = 'kinds'::regclass AND attnum > 0 ORDER BY attnum;
\d kinds
INSERT INTO kinds VALUES (1, '[1,2]', '[0.1,2,3]', 'xabc', '{"[0.1]","[1,2]"}'),
    (2, '[1]', '[0.1]', 'b1', '{}'), (3, NULL, NULL, NULL, NULL), (4, NULL, '[1,2,3]', '10110', NULL);
SELECT id, reals, descriptor_kind(reals), halves, descriptor_kind(halves), bits,
    descriptor_kind(bits), descriptor_kind(listed[1]) FROM kinds ORDER BY id;
-- The other kind is converted or refused; so is what the kind cannot hold.
UPDATE kinds SET reals = halves, halves = reals WHERE id = 1;
SELECT reals, descriptor_kind(reals), halves, descriptor_kind(halves) FROM kinds WHERE id = 1;
INSERT INTO kinds (id, halves) VALUES (5, 'xabc');
INSERT INTO kinds (id, reals) VALUES (5, 'b1');
INSERT INTO kinds (id, bits) VALUES (5, '[1]');
INSERT INTO kinds (id, halves) VALUES (5, '[70000]');
INSERT INTO kinds (id, halves) VALUES (5, '[]');
INSERT INTO kinds (id, bits) VALUES (5, '');
INSERT INTO kinds (id, halves) VALUES (5, '{1,0.1}'::real[]), (6, '{}'::real[]);
INSERT INTO kinds (id, bits) VALUES (5, '{1}'::real[]);
SELECT ('[' || repeat('1,', 16000) || '1]')::descriptor(half);
SELECT descriptor_dims(repeat('1', 64000)::descriptor(bit)), repeat('1', 64001)::descriptor(bit);
-- As casts.
SELECT v::descriptor(half), descriptor_kind(v::descriptor(half)), v::descriptor(half)::descriptor(3)
    FROM (VALUES ('[0.1,2,3]'::descriptor)) t (v);
SELECT '[1]'::descriptor::descriptor(bit);
SELECT 'b1'::descriptor::descriptor(half);
-- COPY knows the column's kind.
COPY kinds (id, halves, bits) FROM stdin;
7	[1.00048828126]	010
8	\N	\N
\.
SELECT halves, bits FROM kinds WHERE id IN (7, 8) ORDER BY id;
COPY kinds (id, halves) FROM stdin;
9	010
\.
-- Indexes of every kind; the first row settles the dimensions of one without rows.
CREATE TABLE wide (v descriptor(half), b descriptor(bit));
CREATE INDEX wide_v ON wide USING faiss (v);
CREATE INDEX wide_b ON wide USING faiss (b descriptor_hamming_ops);
CREATE INDEX ON wide USING faiss (v descriptor_hamming_ops);
CREATE INDEX ON wide USING faiss (b);
INSERT INTO wide SELECT ARRAY[i, 1, i % 7], ('x' || lpad(to_hex(i), 4, '0'))::descriptor
    FROM generate_series(1, 200) i;
INSERT INTO wide (v) VALUES ('[1,2]');
INSERT INTO wide (b) VALUES ('x12');
SET enable_seqscan = off;
SELECT v FROM wide ORDER BY v <-> '[17,1,3]' LIMIT 1;
SELECT b FROM wide ORDER BY b <~> 'x0011' LIMIT 1;
RESET enable_seqscan;
REINDEX TABLE wide;
SELECT faiss_index_check('wide_v'), faiss_index_check('wide_b');
-- ALTER TABLE between a kind, and a kind with dimensions; indexes follow.
ALTER TABLE wide ALTER v TYPE descriptor(3, half), ALTER b TYPE descriptor(16, bit);
ALTER TABLE wide ALTER v TYPE descriptor(real), ALTER b TYPE descriptor(bit);
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
    WHERE attrelid = 'wide_v'::regclass OR attrelid = 'wide_b'::regclass ORDER BY 1, 2;
ALTER TABLE wide ALTER v TYPE descriptor(bit);
ALTER TABLE wide ALTER b TYPE descriptor(15, bit);
SELECT descriptor_kind(v), descriptor_kind(b), count(*) FROM wide GROUP BY 1, 2;
DROP TABLE kinds, wide;

-- Modifiers that make no sense.
SELECT NULL::descriptor(0);
SELECT NULL::descriptor(-1);
SELECT NULL::descriptor(16001);
SELECT NULL::descriptor(16001, half);
SELECT NULL::descriptor(64001, bit);
SELECT NULL::descriptor(99999999999999999999);
SELECT NULL::descriptor(1.5);
SELECT NULL::descriptor(double);
SELECT NULL::descriptor(half, 3);
SELECT NULL::descriptor(3, double);
SELECT NULL::descriptor(3, '');
SELECT NULL::descriptor(3, half, 1);

-- Modifiers that no declaration makes, given to the functions by hand.
SELECT descriptor_in('[1,2,3,4,5,6,7,8]', 0, (255 << 16) + 8);
SELECT descriptor_in('[1]', 0, 2147483647);
SELECT descriptor_in('[1]', 0, 3 << 16);
SELECT descriptor('[1,2]'::descriptor, (3 << 16) + 2, true);
SELECT array_to_descriptor('{1,2}'::real[], (3 << 16) + 2, true);
SELECT varbit_to_descriptor('11'::bit varying, (9 << 16) + 2, true);
SELECT descriptor_typmod_out((3 << 16) + 2);
SELECT descriptor_typmod_out(16001);
SELECT descriptor_typmod_out(3 << 16);
SELECT descriptor_typmod_out(-1);
SELECT descriptor_typmod_in('{NULL}');
SELECT descriptor_typmod_in('{}');
DROP TABLE items;
