-- Text in, the same value out in its shortest form.
SELECT '[1,2.5,-3]'::descriptor;
SELECT E' \t[ 1 ,+2.50,\n -3e0 ] '::descriptor;
SELECT '[0.1,1e10,1E-10,.5,5.]'::descriptor;
SELECT '[16777216,16777217,3.4028235e38,1e-45]'::descriptor;
-- Too small for the type rounds to zero, which keeps its sign.
SELECT '[0,-0,1e-46,-1e-400]'::descriptor;

-- Half: the shortest text that gives the same half back.
SELECT '[0.1,65504,2049,-0.333,6e-8]'::descriptor(5, half);
SELECT '[0.1,1e-9]'::descriptor(2, half)::descriptor(2);
-- Every half comes back from its text, also when the text is read as real first, as literals are.
WITH halves AS (
    SELECT (CASE exponent WHEN 0 THEN mantissa ELSE 1024 + mantissa END *
        2 ^ (greatest(exponent, 1) - 25) * sign)::real AS exact
    FROM generate_series(0, 30) exponent, generate_series(0, 1023) mantissa,
    (VALUES (1), (-1)) s (sign)
), texts AS (
    SELECT exact, ARRAY[exact]::descriptor(1, half)::text AS written FROM halves
)
SELECT count(*), count(*) FILTER (WHERE (written::descriptor::descriptor(1, half)::real[])[1]
    = exact)
    AS through_real, max(length(written)) FROM texts;
-- Input that knows the column's kind rounds once: 1 + 2^-11 is a tie and goes to even, a little
-- more goes up although a real cannot tell the two apart.
CREATE TABLE halves (v descriptor(2, half));
COPY halves FROM stdin;
[1.00048828125,1.00048828126]
\.
COPY halves FROM stdin;
[65519.99,65520]
\.
COPY halves TO stdout;
SELECT v::real[] FROM halves;
DROP TABLE halves;

-- Bits: hex when the length allows, binary digits else.
SELECT 'x0f3a'::descriptor, 'XABC'::descriptor, 'b10110'::descriptor, 'B1011'::descriptor,
    ' b00000000 '::descriptor;

-- As PostgreSQL writes its type bit: digits alone.
SELECT '010'::descriptor, '1'::descriptor, ' 0110 '::descriptor,
    '0101'::descriptor = B'0101'::descriptor AS same, repeat('01', 32000)::descriptor = (
        'x' || repeat('5', 16000))::descriptor AS same;
SELECT '012'::descriptor;
SELECT '0 1'::descriptor;
SELECT '0b1'::descriptor;
SELECT repeat('1', 64001)::descriptor;

-- Limits.
SELECT descriptor_dims(('[' || repeat('1,', 15999) || '1]')::descriptor) AS real_limit,
    descriptor_dims(('[' || repeat('1,', 15999) || '1]')::descriptor(16000, half)) AS half_limit,
    descriptor_dims(('b' || repeat('1', 64000))::descriptor) AS bit_limit,
    descriptor_dims(('x' || repeat('f', 16000))::descriptor) AS hex_limit;
SELECT ('[' || repeat('1,', 16000) || '1]')::descriptor;
SELECT ('[' || repeat('1,', 16000) || '1]')::descriptor(16000, half);
SELECT ('b' || repeat('1', 64001))::descriptor;
SELECT ('x' || repeat('f', 16001))::descriptor;

-- Each mistake is told.
SELECT ''::descriptor;
SELECT '   '::descriptor;
SELECT '1,2,3'::descriptor;
SELECT '{1,2}'::descriptor;
SELECT '[]'::descriptor;
SELECT '[ ]'::descriptor;
SELECT 'x'::descriptor;
SELECT 'b'::descriptor;
SELECT '['::descriptor;
SELECT '[1,2'::descriptor;
SELECT '[1,2]3'::descriptor;
SELECT '[[1]]'::descriptor;
SELECT '[1,]'::descriptor;
SELECT '[,1]'::descriptor;
SELECT '[1,,2]'::descriptor;
SELECT '[1 2]'::descriptor;
SELECT '[1,two]'::descriptor;
SELECT '[0x10]'::descriptor;
SELECT '[--1]'::descriptor;
SELECT '[NaN]'::descriptor;
SELECT '[1,-nan]'::descriptor;
SELECT '[Infinity]'::descriptor;
SELECT '[1,-inf]'::descriptor;
SELECT '[4e38]'::descriptor;
SELECT '[-1e999999999999999999999]'::descriptor;
SELECT '[65520]'::descriptor(1, half);
SELECT 'x0g'::descriptor;
SELECT 'b102'::descriptor;
SELECT 'b1 0'::descriptor;
-- A long text is cut in the message.
SELECT ('[' || repeat('1,', 1000) || 'oops]')::descriptor;

-- Any value comes back from its text.
WITH sample AS (
    SELECT array_agg((sin(i * 7 + j) * 10 ^ (i % 40 - 20))::real)::descriptor AS v
    FROM generate_series(1, 400) i, generate_series(1, 9) j GROUP BY i
)
SELECT count(*), count(*) FILTER (WHERE v::text::descriptor = v) AS equal FROM sample;

-- Arrays of descriptors, rows, prepared statements.
SELECT ARRAY['[1,2]', 'x0f']::descriptor[], ROW('[1,2]'::descriptor);
SELECT ('{"[1,2]",x0f,NULL}'::descriptor[])[1];
PREPARE echo(descriptor) AS SELECT $1;
EXECUTE echo('[1,2]');
EXECUTE echo('[1,2');
DEALLOCATE echo;
