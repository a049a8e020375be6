-- Text attributes under collations: what is equal there, and what lies in a range there, is found.
CREATE COLLATION ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE t (id int, d descriptor(2), loose text COLLATE ignore_case, plain text COLLATE "C",
    padded char(8) COLLATE "C");
INSERT INTO t SELECT i, ARRAY[i, 0]::real[]::descriptor,
    CASE WHEN i % 8 < 4 THEN upper(name) ELSE name END, CASE WHEN i % 8 < 4 THEN upper(name) ELSE name END, name
    FROM generate_series(1, 60) AS i, LATERAL (SELECT (ARRAY['ant', 'bee', 'cat', NULL])[1 + i % 4]) AS n(name);
CREATE INDEX ON t USING faiss (d, loose, plain, padded);
SET enable_seqscan = off;
SET enable_sort = off;

-- The conditions are the index's.
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE loose = 'ANT' AND plain < 'b' ORDER BY d <-> '[0,0]' LIMIT 3;

-- Equal whatever the case, as the table says.
SELECT id, loose FROM t WHERE loose = 'bEe' ORDER BY d <-> '[0,0]' LIMIT 4;
SELECT id, loose FROM t WHERE loose IN ('CAT', 'bee') ORDER BY d <-> '[0,0]' LIMIT 4;
SELECT id, plain FROM t WHERE plain = 'bee' ORDER BY d <-> '[0,0]' LIMIT 4;
SELECT id, padded FROM t WHERE padded = 'bee     ' ORDER BY d <-> '[0,0]' LIMIT 4;
-- Another collation than the column's is not the index's condition.
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE loose = 'bee' COLLATE "C" ORDER BY d <-> '[0,0]' LIMIT 4;
SELECT id, loose FROM t WHERE loose = 'BEE' COLLATE "C" ORDER BY d <-> '[0,0]' LIMIT 4;

-- Ranges in the order of the collation.
SELECT count(*), min(plain), max(plain)
  FROM (SELECT plain FROM t WHERE plain > 'ANT' AND plain <= 'bee' ORDER BY d <-> '[0,0]') AS x;
SELECT count(*), min(loose), max(loose)
  FROM (SELECT loose FROM t WHERE loose BETWEEN 'Ant' AND 'BEE' ORDER BY d <-> '[0,0]') AS x;
SELECT count(*) FROM (SELECT id FROM t WHERE plain IS NULL ORDER BY d <-> '[0,0]') AS x;

-- Rows that come later are hashed alike.
INSERT INTO t VALUES (61, '[0,1]', 'BeE', 'BeE', 'BeE');
SELECT id, loose FROM t WHERE loose = 'bee' ORDER BY d <-> '[0,0]' LIMIT 2;

DROP TABLE t;
DROP COLLATION ignore_case;
