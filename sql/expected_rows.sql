-- faiss_expected_rows(): how unusual a distance is in a table.
CREATE ROLE regress_viewer;
CREATE ROLE regress_stranger;
-- Places on a line: a typical one has two rows within 1, twenty within 10.
CREATE TABLE line (id int, d descriptor(1), place text);
INSERT INTO line SELECT i, ARRAY[i]::real[]::descriptor FROM generate_series(1, 1000) AS i;
CREATE INDEX line_one ON line USING faiss (d);
CREATE INDEX line_many ON line USING faiss (d) WITH (lists = 20);
ANALYZE line;
CREATE FUNCTION rows_within(index regclass, distances double precision[]) RETURNS numeric[] AS $$
    SELECT array_agg(CASE WHEN rows < 2 THEN round(rows::numeric, 1) ELSE round(rows::numeric, -1) END
                     ORDER BY place)
      FROM unnest(distances) WITH ORDINALITY AS asked(distance, place),
           faiss_expected_rows(index, distance) AS rows $$ LANGUAGE sql STABLE;
SELECT rows_within('line_one', '{0, 0.01, 1, 5, 50, 500, 999, 1e9, inf, -1, -inf}');
SELECT rows_within('line_many', '{0, 0.01, 1, 5, 50, 500, 999, 1e9, inf, -1, -inf}');
-- The nearer, the fewer; a distance that nobody has is next to nothing, and never nothing but at 0.
SELECT bool_and(rows > before) AS rises, min(rows) > 0 AS above_0
  FROM (SELECT faiss_expected_rows(index, i / 100.0) AS rows,
               lag(faiss_expected_rows(index, i / 100.0), 1, 0) OVER (PARTITION BY index ORDER BY i) AS before
          FROM generate_series(1, 90000, 30) AS i, unnest('{line_one,line_many}'::regclass[]) AS index) AS steps;
SELECT faiss_expected_rows('line_one', 'NaN'), faiss_expected_rows('line_one', NULL), faiss_expected_rows(NULL, 1);

-- In WHERE, outside of the search.
SELECT id, round(100 / (1 + faiss_expected_rows('line_many', distance))) AS percent
  FROM (SELECT id, d <-> '[500.1]' AS distance FROM line ORDER BY distance LIMIT 20) AS near
 WHERE faiss_expected_rows('line_many', distance) < 3 ORDER BY distance;

-- One call for two indexes.
SELECT index, faiss_expected_rows(index, 1e9) FROM unnest('{line_one,line_many,line_one}'::regclass[]) AS index;

-- No rows, one row, two.
CREATE TABLE few (id int, d descriptor);
CREATE INDEX few_d ON few USING faiss (d);
SELECT faiss_expected_rows('few_d', 0), faiss_expected_rows('few_d', 5), faiss_expected_rows('few_d', 'inf');
INSERT INTO few VALUES (1, '[1,1]'), (2, NULL);
SELECT faiss_expected_rows('few_d', 0), faiss_expected_rows('few_d', 5), faiss_expected_rows('few_d', 'inf');
INSERT INTO few VALUES (3, '[4,5]');
SELECT faiss_expected_rows('few_d', 0), faiss_expected_rows('few_d', 2.5) < 0.02, faiss_expected_rows('few_d', 5), faiss_expected_rows('few_d', 'inf');
-- All alike.
CREATE TABLE same (d descriptor(2));
INSERT INTO same SELECT '[1,1]' FROM generate_series(1, 300);
CREATE INDEX same_d ON same USING faiss (d);
SELECT faiss_expected_rows('same_d', 0), faiss_expected_rows('same_d', 1);

-- Of a table that is too large to be read, stretches; of rows that are too many, some.
CREATE TABLE large (d descriptor(1), place text);
ALTER TABLE large ALTER place SET STORAGE PLAIN;
CREATE INDEX large_d ON large USING faiss (d);
INSERT INTO large SELECT ARRAY[i * 17 % 3001]::real[]::descriptor, repeat('x', 3900) FROM generate_series(1, 3000) AS i;
CREATE TABLE many (d descriptor(1));
CREATE INDEX many_d ON many USING faiss (d);
INSERT INTO many SELECT ARRAY[i]::real[]::descriptor FROM generate_series(1, 20000) AS i;
SELECT pg_relation_size('large') / 8192 > 1024 AS is_large,
       faiss_expected_rows('large_d', 1e9) BETWEEN 2900 AND 3100 AS all,
       faiss_expected_rows('large_d', 150) BETWEEN 150 AND 600 AS a_tenth,
       faiss_expected_rows('many_d', 1e9) BETWEEN 16000 AND 20000 AS most, -- as it measured last
       faiss_expected_rows('many_d', 1000) BETWEEN 1000 AND 3000 AS a_tenth;
DROP TABLE large, many;

-- It follows the table, also without a new measurement.
INSERT INTO line SELECT i, ARRAY[i % 1000 + 0.5]::real[]::descriptor FROM generate_series(1, 3000) AS i;
SELECT rows_within('line_one', '{1e9}');
SELECT faiss_expected_rows('line_many', 1e9) > 3000;
ANALYZE line;
SELECT rows_within('line_many', '{1e9}');
CREATE INDEX line_part ON line USING faiss (d) WHERE id % 4 = 0;
SELECT rows_within('line_part', '{1e9}');
UPDATE line SET d = NULL WHERE id % 2 = 0;
VACUUM ANALYZE line;
SELECT rows_within('line_one', '{1e9}'), rows_within('line_many', '{1e9}');

-- Every metric, with one list and with several.
CREATE TABLE drawn (id int, d descriptor(16));
INSERT INTO drawn SELECT i, (SELECT array_agg(hashint4(i * 16 + j) / 2.0 ^ 31) FROM generate_series(1, 16) AS j)::descriptor
  FROM generate_series(1, 400) AS i;
CREATE INDEX drawn_cosine ON drawn USING faiss (d descriptor_cosine_ops);
CREATE INDEX drawn_ip ON drawn USING faiss (d descriptor_ip_ops) WITH (lists = 5);
CREATE INDEX drawn_ip_one ON drawn USING faiss (d descriptor_ip_ops);
CREATE INDEX drawn_hamming ON drawn USING faiss ((binary_quantize(d)::descriptor(16, bit)) descriptor_hamming_ops);
CREATE INDEX drawn_jaccard ON drawn USING faiss ((binary_quantize(d)::descriptor(16, bit)) descriptor_jaccard_ops) WITH (lists = 5);
ANALYZE drawn;
-- The share of rows that there are, over the share that is told: half of it to twice.
WITH pairs AS MATERIALIZED (
    SELECT a.d AS a, b.d AS b FROM drawn AS a, drawn AS b WHERE a.id <> b.id AND a.id % 8 = 0),
distances AS (
    SELECT 'drawn_cosine' AS index, a <=> b AS distance FROM pairs
    UNION ALL SELECT unnest('{drawn_ip,drawn_ip_one}'::text[]), a <#> b FROM pairs
    UNION ALL SELECT 'drawn_hamming', binary_quantize(a) <~> binary_quantize(b) FROM pairs
    UNION ALL SELECT 'drawn_jaccard', binary_quantize(a) <%> binary_quantize(b) FROM pairs),
shares AS (
    SELECT index, share, percentile_disc(share) WITHIN GROUP (ORDER BY distance) AS distance
      FROM distances, unnest('{0.05, 0.2, 0.5}'::double precision[]) AS share GROUP BY 1, 2)
SELECT index, array_agg(faiss_expected_rows(index::regclass, distance) / 400 / share BETWEEN 0.5 AND 2 ORDER BY share)
  FROM shares GROUP BY 1 ORDER BY 1;
SELECT bool_and(faiss_expected_rows('drawn_ip', -i / 10.0) > faiss_expected_rows('drawn_ip', -i / 10.0 - 1))
  FROM generate_series(1, 200) AS i;

-- Of a partitioned table, the sum.
CREATE TABLE years (year int, d descriptor(1)) PARTITION BY LIST (year);
CREATE TABLE year_1 PARTITION OF years FOR VALUES IN (1);
CREATE TABLE year_2 PARTITION OF years FOR VALUES IN (2) PARTITION BY LIST (year);
CREATE TABLE year_2a PARTITION OF year_2 FOR VALUES IN (2);
CREATE TABLE year_3 PARTITION OF years FOR VALUES IN (3);
CREATE INDEX years_d ON years USING faiss (d);
INSERT INTO years SELECT i % 2 + 1, ARRAY[i]::real[]::descriptor FROM generate_series(1, 1000) AS i;
SELECT rows_within('years_d', '{0, 10, 100, 1e9}'), rows_within('year_1_d_idx', '{0, 10, 100, 1e9}');

-- Many partitions are measured once in a session, too.
CREATE SEQUENCE measured;
CREATE FUNCTION counted(descriptor) RETURNS descriptor LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM nextval('public.measured');
    RETURN $1;
END $$;
CREATE TABLE shops (shop int, d descriptor(1)) PARTITION BY LIST (shop);
DO $$ BEGIN
    FOR i IN 1..260 LOOP EXECUTE format('CREATE TABLE shop_%s PARTITION OF shops FOR VALUES IN (%s)', i, i); END LOOP;
END $$;
INSERT INTO shops SELECT shop, ARRAY[i]::real[]::descriptor FROM generate_series(1, 260) AS shop, generate_series(1, 256) AS i;
CREATE INDEX shops_d ON shops USING faiss ((counted(d)::descriptor(1)));
SELECT faiss_expected_rows('shops_d', 1e9);
SELECT last_value AS before FROM measured \gset
SELECT faiss_expected_rows('shops_d', 1e9);
SELECT last_value - :before AS again FROM measured;
DROP TABLE shops;
DROP FUNCTION counted;
DROP SEQUENCE measured;

-- What is no index of ours.
CREATE INDEX line_id ON line (id);
CREATE TABLE halves (id int) PARTITION BY LIST (id);
CREATE INDEX halves_id ON halves (id);
SELECT faiss_expected_rows('line_id', 1);
SELECT faiss_expected_rows('line', 1);
SELECT faiss_expected_rows('halves_id', 1);
SELECT faiss_expected_rows(0, 1);

-- Who may read the column.
SET ROLE regress_viewer;
SELECT faiss_expected_rows('line_one', 1);
SELECT faiss_expected_rows('years_d', 1);
RESET ROLE;
GRANT SELECT (id, place) ON line TO regress_viewer;
GRANT SELECT (id) ON drawn TO regress_viewer;
GRANT SELECT (d) ON years TO regress_viewer;
SET ROLE regress_viewer;
SELECT faiss_expected_rows('line_one', 1);
SELECT faiss_expected_rows('drawn_hamming', 1);
SELECT faiss_expected_rows('years_d', 1e9);
SELECT faiss_expected_rows('year_1_d_idx', 1e9);
RESET ROLE;
GRANT SELECT (d) ON line, drawn TO regress_viewer;
SET ROLE regress_viewer;
SELECT faiss_expected_rows('line_one', 1e9), faiss_expected_rows('line_many', 1e9) > 0, faiss_expected_rows('drawn_hamming', 16);
RESET ROLE;
-- Row-level security: numbers of many rows, but no single distance.
GRANT SELECT ON few, line TO regress_viewer;
CREATE INDEX few_lists ON few USING faiss (d) WITH (lists = 2);
ALTER TABLE few ENABLE ROW LEVEL SECURITY;
ALTER TABLE line ENABLE ROW LEVEL SECURITY;
SELECT faiss_expected_rows('few_d', 5);
SET ROLE regress_viewer;
SELECT faiss_expected_rows('few_d', 5);
SELECT faiss_expected_rows('few_lists', 5);
SELECT faiss_expected_rows('line_one', 1e9);
RESET ROLE;
-- Who may write is told nothing that would be measured with rows of his.
GRANT INSERT ON line TO regress_viewer;
SET ROLE regress_viewer;
SELECT faiss_expected_rows('line_one', 1e9);
RESET ROLE;
REVOKE INSERT ON line FROM regress_viewer;
-- Through a partitioned table, by its policies, of each partition that has rows.
ALTER TABLE years ENABLE ROW LEVEL SECURITY;
SET ROLE regress_viewer;
SELECT faiss_expected_rows('years_d', 1e9);
RESET ROLE;
INSERT INTO years VALUES (3, '[1]'), (3, '[2]');
SET ROLE regress_viewer;
SELECT faiss_expected_rows('years_d', 1e9);
RESET ROLE;
SELECT faiss_expected_rows('years_d', 1e9);
-- Whom a right is taken from in the middle, PL/pgSQL keeps nothing for.
CREATE FUNCTION asked_twice() RETURNS text LANGUAGE plpgsql AS $$
DECLARE rows text := '';
BEGIN
    FOR i IN 1..2 LOOP
        rows := rows || faiss_expected_rows('line_one', 1e9) || ' ';
        SET LOCAL ROLE regress_stranger;
    END LOOP;
    RETURN rows;
END $$;
SELECT asked_twice();

-- The owner's code, his rights.
GRANT CREATE ON SCHEMA public TO regress_viewer;
CREATE TABLE watched AS SELECT i AS id, ARRAY[i]::real[]::descriptor(1) AS d FROM generate_series(1, 300) AS i;
CREATE FUNCTION seen_as(descriptor) RETURNS descriptor LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF current_user <> 'regress_viewer' THEN RAISE EXCEPTION 'as %', current_user; END IF;
    RETURN $1;
END $$;
ALTER TABLE watched OWNER TO regress_viewer;
SET SESSION AUTHORIZATION regress_viewer;
CREATE INDEX watched_d ON watched USING faiss ((seen_as(d)::descriptor(1)));
RESET SESSION AUTHORIZATION;
SELECT faiss_expected_rows('watched_d', 1e9), current_user = session_user AS is_back;

-- One list measures itself by some of its rows: of rows in another order it takes others, and what
-- it tells stays much the same.
CREATE FUNCTION expected_in_order(number int) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE expected double precision;
BEGIN
    CREATE TABLE shuffled AS
        SELECT ARRAY(SELECT hashint4(i * 8 + j) / 2147483648.0 * 2 ^ (i % 60 / 40.0)
                       FROM generate_series(1, 8) AS j)::descriptor(8) AS features
          FROM generate_series(1, 1200) AS i
         ORDER BY md5(number || '/' || i);
    CREATE INDEX shuffled_index ON shuffled USING faiss (features);
    expected := faiss_expected_rows('shuffled_index', 0.3);
    DROP TABLE shuffled;
    RETURN expected;
END $$;
SELECT max(expected) < 2 * min(expected) AS alike
  FROM (SELECT expected_in_order(number) AS expected FROM generate_series(1, 6) AS number) AS orders;

DROP TABLE line, few, same, drawn, years, halves, watched;
DROP FUNCTION rows_within, seen_as, asked_twice, expected_in_order;
REVOKE CREATE ON SCHEMA public FROM regress_viewer;
DROP ROLE regress_viewer, regress_stranger;
