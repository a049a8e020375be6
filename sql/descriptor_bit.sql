-- Bit descriptors beside PostgreSQL's own bit strings: operators and functions take B'101' as it is.
CREATE TABLE hashes (id integer PRIMARY KEY, h descriptor(bit));
INSERT INTO hashes SELECT i, ((i * 37) % 1024)::bit(10) FROM generate_series(1, 300) i;
INSERT INTO hashes VALUES (301, NULL);

SELECT 'b101'::descriptor <~> B'110' AS hamming, B'110' <~> 'b101'::descriptor AS turned,
    'b101'::descriptor <%> B'110' AS jaccard, 'b101'::descriptor <~> '110' AS unknown,
    B'101' <~> B'110' AS both;
SELECT 'b101'::descriptor = B'101' AS equal, B'100' < 'b101'::descriptor AS less,
    'b101'::descriptor || B'1' AS longer, B'1' || 'b101'::descriptor AS longer;
SELECT hamming_distance('b101', B'110'), jaccard_distance(B'101', B'110'),
    hamming_similarity('b101', B'110'), within_hamming('b101', B'110', 2),
    within_jaccard('b101', B'110', 0.5), descriptor_dims(B'101'), subvector(B'10110', 2, 3);
SELECT 'b101'::descriptor <~> NULL::bit(3) AS unknown, NULL::descriptor <~> B'101' AS unknown;
-- Lengths must agree; what is not for bits says so.
SELECT 'b101'::descriptor <~> B'1010';
SELECT 'b101'::descriptor <~> B'';
SELECT '[1]'::descriptor <~> B'1';
SELECT B'1' <-> B'1';
SELECT sum(B'1');
-- A bit varying wants a cast.
SELECT 'b101'::descriptor <~> '110'::bit varying;
SELECT 'b101'::descriptor <~> '110'::bit varying::descriptor AS hamming;

-- What PostgreSQL says of bit strings stays what it was.
SELECT pg_typeof(B'1' || B'0'), pg_typeof(B'1' || '0'), pg_typeof('1'::bit varying || B'0'),
    pg_typeof(B'1' || 'x'::text), B'10' || B'1' AS longer, B'10' < B'1' AS less,
    B'10' = '10'::bit varying AS equal, B'1' & B'0' AS both, length(B'101'), pg_typeof(~ B'1'),
    B'10' IN ('10', '11') AS listed, pg_typeof(COALESCE(NULL, B'1'));
-- As in pgvector, which has operators of bit by the same names: none becomes ambiguous.
CREATE FUNCTION bits_apart(bit, bit) RETURNS double precision LANGUAGE sql IMMUTABLE
    AS $$ SELECT 1000 + bit_count($1 # $2)::double precision $$;
CREATE OPERATOR <~> (LEFTARG = bit, RIGHTARG = bit, FUNCTION = bits_apart);
SELECT B'101' <~> B'110' AS own, '101'::bit varying <~> '110'::bit varying AS own,
    B'101' <~> '110' AS own, B'101' <~> '110'::bit varying AS own,
    'b101'::descriptor <~> B'110' AS descriptor, B'110' <~> 'b101'::descriptor AS descriptor;
DROP OPERATOR <~> (bit, bit);
DROP FUNCTION bits_apart;

-- Through an index.
CREATE INDEX ON hashes USING faiss (h descriptor_hamming_ops);
SET enable_seqscan = off;
EXPLAIN (COSTS off) SELECT id FROM hashes ORDER BY h <~> B'0000100101' LIMIT 1;
SELECT id, h <~> B'0000100101' AS distance FROM hashes ORDER BY h <~> B'0000100101' LIMIT 1;
EXPLAIN (COSTS off) SELECT id FROM hashes WHERE within_hamming(h, B'0000100101', 0);
SELECT id FROM hashes WHERE within_hamming(h, B'0000100101', 0);
PREPARE nearest(bit) AS SELECT id FROM hashes ORDER BY h <~> $1 LIMIT 1;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS off) EXECUTE nearest(B'0000100101');
EXECUTE nearest(B'0000100101');
SELECT o.id FROM (VALUES (B'0000100101'), (B'0001001010')) q (b),
    LATERAL (SELECT id FROM hashes ORDER BY h <~> q.b LIMIT 1) o ORDER BY 1;
SELECT id FROM hashes ORDER BY h <~> B'101' LIMIT 1;
RESET enable_seqscan;
RESET plan_cache_mode;
DEALLOCATE nearest;
DROP TABLE hashes;
