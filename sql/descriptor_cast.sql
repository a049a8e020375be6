-- The strength of every cast: i implicit, a on assignment.
SELECT castsource::regtype::text COLLATE "C" AS source,
    casttarget::regtype::text COLLATE "C" AS target,
    castcontext FROM pg_cast WHERE 'descriptor'::regtype IN (castsource, casttarget) ORDER BY 1, 2;

-- From arrays.
SELECT ARRAY[1,2,-3]::descriptor, ARRAY[1.5,2]::real[]::descriptor,
    ARRAY[1.5,0.1]::double precision[]::descriptor, ARRAY[1.5,0.1]::numeric[]::descriptor;
SELECT '{1,2}'::integer[]::descriptor(2), '{0.1,2}'::real[]::descriptor(2, half),
    '{0.1,2}'::double precision[]::descriptor(2, half), '{0.1,1e-30}'::numeric[]::descriptor(2);
-- A value is rounded once: through a real this would be 1.
SELECT ARRAY[1.000488281250001]::double precision[]::descriptor(1, half);
SELECT '[2:4]={1,2,3}'::integer[]::descriptor;
SELECT '{2147483647,-16777217}'::integer[]::descriptor;
SELECT descriptor_dims(array_fill(1, ARRAY[16000])::descriptor);
SELECT array_fill(1, ARRAY[16001])::descriptor;
SELECT '{}'::real[]::descriptor;
SELECT '{{1},{2}}'::real[]::descriptor;
SELECT '{1,NULL}'::integer[]::descriptor;
SELECT '{NaN}'::real[]::descriptor;
SELECT '{Infinity}'::double precision[]::descriptor;
SELECT '{-Infinity}'::numeric[]::descriptor;
SELECT '{NaN}'::numeric[]::descriptor;
SELECT '{1e39}'::double precision[]::descriptor;
SELECT '{1e39}'::numeric[]::descriptor;
SELECT '{-1e400}'::numeric[]::descriptor;
SELECT '{1e-400,1e-60}'::numeric[]::descriptor;
SELECT '{70000}'::integer[]::descriptor(1, half);
SELECT '{1,2}'::integer[]::descriptor(3);
SELECT '{1,0}'::integer[]::descriptor(2, bit);

-- To arrays.
SELECT '[1,0.1,-3]'::descriptor::real[], '[1,0.5,-3]'::descriptor::double precision[],
    '[1,2.4,-3.6]'::descriptor::integer[], '[1,0.1,-3]'::descriptor::numeric[];
SELECT '[1,0.5]'::descriptor(2, half)::real[], '[1,0.5]'::descriptor(2, half)::double precision[],
    '[1,2]'::descriptor(2, half)::integer[], '[1,0.5]'::descriptor(2, half)::numeric[];
SELECT '[3e9]'::descriptor::integer[];
SELECT 'b10'::descriptor::real[];
-- To real[] is implicit, as from pgvector's vector.
CREATE FUNCTION second(real[]) RETURNS real LANGUAGE sql IMMUTABLE AS 'SELECT $1[2]';
SELECT second('[1,2.5,3]'::descriptor);
DROP FUNCTION second;

-- Bits.
SELECT B'10110'::descriptor, B'00001111'::bit varying::descriptor, B'101'::descriptor(3, bit),
    '\x0f3a'::bytea::descriptor;
SELECT 'b10110'::descriptor::bit varying, 'x0f3a'::descriptor::bytea;
SELECT 'b10110'::descriptor::bytea;
SELECT '[1]'::descriptor::bit varying;
SELECT '[1]'::descriptor::bytea;
SELECT ''::bit varying::descriptor;
SELECT '\x'::bytea::descriptor;
SELECT B'101'::descriptor(4, bit);
SELECT B'101'::descriptor(3);
SELECT '\x0f'::bytea::descriptor(8, half);
SELECT repeat('1', 64001)::bit varying::descriptor;
SELECT repeat('a', 8001)::bytea::descriptor;
SELECT descriptor_dims(repeat('a', 8000)::bytea::descriptor);

-- To bit: neither cut nor filled up. "bit" is bit(1).
SELECT 'b10110'::descriptor::bit(5), 'x0f3a'::descriptor::bit(16), 'b1'::descriptor::bit,
    pg_typeof('b1'::descriptor::bit), NULL::descriptor::bit(3), 'b101'::descriptor::"bit";
SELECT count(*), bool_and(v::bit(9)::text = t) FROM (SELECT i::bit(9)::text AS t,
    i::bit(9)::descriptor AS v FROM generate_series(0, 511) i) s;
SELECT bit_count(repeat('1', 64000)::descriptor::bit(64000));
SELECT 'b101'::descriptor::bit;
SELECT 'b101'::descriptor::bit(2);
SELECT 'b101'::descriptor::bit(4);
SELECT '[1]'::descriptor::bit(1);
SELECT '[1]'::descriptor(half)::bit(1);
CREATE TABLE bit_strings (b bit(3), v bit varying(3));
INSERT INTO bit_strings VALUES ('b101'::descriptor, 'b101'::descriptor), (NULL::descriptor, NULL);
INSERT INTO bit_strings (b) VALUES ('b1010'::descriptor);
INSERT INTO bit_strings (v) VALUES ('b1010'::descriptor);
SELECT * FROM bit_strings;
DROP TABLE bit_strings;

-- Assignment needs no cast to be written.
CREATE TABLE casts (reals descriptor(2), halves descriptor(2, half), bits descriptor(8, bit));
INSERT INTO casts VALUES (ARRAY[1,2], ARRAY[1.5,2]::real[], '\xa5'::bytea);
INSERT INTO casts VALUES (ARRAY[1.5,2], ARRAY[1.5,2]::double precision[], B'10100101');
SELECT * FROM casts;
INSERT INTO casts VALUES (ARRAY[1,2,3]);
CREATE TABLE arrays (r real[], d double precision[], i integer[], n numeric[], b bit varying,
    y bytea);
INSERT INTO arrays SELECT reals, reals, halves, halves, bits, bits FROM casts LIMIT 1;
SELECT * FROM arrays;
DROP TABLE casts, arrays;
