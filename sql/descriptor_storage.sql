-- Long values move out of the row as they are; short ones stay, with a header of 9 bytes.
SELECT typstorage, typalign, typlen, typbyval FROM pg_type WHERE oid = 'descriptor'::regtype;
CREATE TABLE stored (id integer PRIMARY KEY, v descriptor);
SELECT attstorage FROM pg_attribute WHERE attrelid = 'stored'::regclass AND attname = 'v';
INSERT INTO stored VALUES (1, '[1,2,3]'), (2, '[1,2,3]'::descriptor(3, half)), (3, 'b101');
SELECT id, pg_column_size(v) FROM stored ORDER BY id;
INSERT INTO stored SELECT 4, array_agg(i)::descriptor FROM generate_series(1, 16000) i;
INSERT INTO stored SELECT 5, array_agg(i % 2048)::descriptor(16000, half)
    FROM generate_series(1, 16000) i;
INSERT INTO stored VALUES (6, ('b' || repeat('01', 32000))::descriptor);
SELECT id, descriptor_dims(v), descriptor_kind(v), pg_column_size(v) FROM stored
    WHERE id > 3 ORDER BY id;
SELECT count(*) AS as_written FROM generate_series(1, 16000) i,
    (SELECT (SELECT v::real[] FROM stored WHERE id = 4) AS a,
    (SELECT v::real[] FROM stored WHERE id = 5) AS b)
    AS arrays WHERE a[i] = i AND b[i] = i % 2048;
SELECT count(*) FROM stored WHERE v = ('x' || repeat('5', 16000))::descriptor;
SELECT subvector(v, 15999, 2), v <-> v AS distance FROM stored WHERE id IN (4, 5) ORDER BY id;
UPDATE stored SET v = v || subvector(v, 1, 1) WHERE id = 4;
UPDATE stored SET v = subvector(v, 1, 15999) || '[7]' WHERE id = 4;
UPDATE stored SET id = 40 WHERE id = 4;
SELECT subvector(v, 15998, 3) FROM stored WHERE id = 40;
-- A column that compresses all the same is read back too.
ALTER TABLE stored ALTER v SET STORAGE extended;
INSERT INTO stored VALUES (7, ('[' || repeat('1,', 2499) || '1]')::descriptor);
SELECT pg_column_size(v) < 1000 AS compressed, descriptor_norm(v) FROM stored WHERE id = 7;
DELETE FROM stored WHERE id > 3;
VACUUM FULL stored;
SELECT * FROM stored ORDER BY id;
DROP TABLE stored;
