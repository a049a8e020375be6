-- Text attributes under collations: what is equal there, and what lies in a range there, is found.
CREATE COLLATION ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE t (id int, d descriptor(2), loose text COLLATE ignore_case, plain text COLLATE "C",
    padded char(8) COLLATE "C");
INSERT INTO t SELECT i, ARRAY[i, 0]::real[]::descriptor,
    CASE WHEN i % 8 < 4 THEN upper(name) ELSE name END, CASE WHEN i % 8 < 4 THEN upper(name) ELSE name END, name
    FROM generate_series(1, 60) AS i, LATERAL (SELECT (ARRAY['ant', 'bee', 'cat', NULL])[1 + i % 4]) AS n(name);
CREATE INDEX ON t USING faiss (d, loose, plain, padded);
SET enable_seqscan = off;
-- What is forbidden costs so much that each statement would be compiled: 40 ms for 3,000 of them.
SET jit = off;
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

-- Under "C" ranges leave out what begins otherwise, and so does LIKE with a beginning. Every text is
-- compared with every other: short and long ones, with blanks at the end and what sorts before a blank.
CREATE TABLE words (id serial, d descriptor(2), plain text COLLATE "C", padded char(20) COLLATE "C");
INSERT INTO words (d, plain, padded) SELECT '[0,0]', word, rtrim(word)
  FROM (SELECT string_agg(letter, '' ORDER BY place) AS word
          FROM generate_series(0, 299) AS n, generate_series(1, 1 + n % 7) AS place,
               LATERAL (SELECT (ARRAY['a', 'b', ' ', E'\x01', 'ä', 'z'])[1 + abs(hashint4(n * 10 + place)) % 6]) AS l(letter)
         GROUP BY n) AS w;
INSERT INTO words (d, plain, padded) VALUES ('[0,0]', '', ''), ('[0,0]', NULL, NULL);
CREATE INDEX ON words USING faiss (d, plain, padded);
EXPLAIN (COSTS OFF) SELECT id FROM words WHERE plain LIKE 'ab%' ORDER BY d <-> '[0,0]';
CREATE FUNCTION differences(of text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    word text;
    condition text;
    by_index int[];
    by_table int[];
    compared int := 0;
BEGIN
    FOR word IN EXECUTE format('SELECT DISTINCT %I FROM words WHERE %1$I IS NOT NULL', of) LOOP
        FOREACH condition IN ARRAY ARRAY['%I < %L', '%I <= %L', '%I = %L', '%I >= %L', '%I > %L', '%I LIKE %L || ''%%'''] LOOP
            condition := format(condition, of, word);
            SET LOCAL enable_indexscan = off;
            EXECUTE 'SELECT array_agg(id ORDER BY id) FROM words WHERE ' || condition INTO by_table;
            SET LOCAL enable_indexscan = on;
            EXECUTE format('SELECT array_agg(id ORDER BY id) FROM (SELECT id FROM words WHERE %s
                ORDER BY d <-> ''[0,0]'' OFFSET 0) AS x', condition) INTO by_index;
            IF by_index IS DISTINCT FROM by_table THEN RETURN NEXT condition; END IF;
            compared := compared + 1;
        END LOOP;
    END LOOP;
    RETURN NEXT (compared > 1000)::text;
END $$;
SELECT differences('plain');
SELECT differences('padded');
CREATE FUNCTION left_out(condition text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SELECT count(*) FROM (SELECT id FROM words WHERE %s ORDER BY d <-> ''[0,0]'' OFFSET 0) AS x', condition);
    RETURN (SELECT entries_filtered FROM faiss_scan_stats());
END $$;
SELECT of, left_out(format('%I < ''c''', of)) = count(*) FILTER (WHERE NOT word < 'c' OR word IS NULL) AS less,
    left_out(format('%I >= ''b''', of)) = count(*) FILTER (WHERE NOT word >= 'b' OR word IS NULL) AS greater,
    left_out(format('%I LIKE ''ab%%''', of)) = count(*) FILTER (WHERE NOT word LIKE 'ab%' OR word IS NULL) AS "like",
    left_out(format('%I = ''a''', of)) = count(*) FILTER (WHERE NOT word = 'a' OR word IS NULL) AS equal
  FROM (SELECT 'plain', plain FROM words UNION ALL SELECT 'padded', padded FROM words) AS w(of, word)
 GROUP BY of;
DROP TABLE words;
DROP FUNCTION differences, left_out;

DROP TABLE t;
DROP COLLATION ignore_case;
