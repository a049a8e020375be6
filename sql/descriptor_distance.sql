-- Values are chosen so that every result is exact on every machine.
SELECT '[0,0]'::descriptor <-> '[3,4]' AS l2, '[1,2,3]'::descriptor <#> '[4,5,6]' AS negative_ip,
    '[3,0]'::descriptor <=> '[0,2]' AS cosine, '[1,-2,3]'::descriptor <+> '[0,2,5]' AS l1;
SELECT 'b10110'::descriptor <~> 'b00111' AS hamming, 'xff'::descriptor <%> 'xf0' AS jaccard;
SELECT l2_distance('[0,0]', '[3,4]'), l2_squared_distance('[0,0]', '[3,4]'),
    inner_product('[1,2,3]', '[4,5,6]'), negative_inner_product('[1,2,3]', '[4,5,6]'),
    cosine_distance('[1,1]', '[-1,-1]'), l1_distance('[1,2]', '[3,-4]');
SELECT hamming_distance('x0f', 'xf0'), jaccard_distance('xf0', 'x0f'),
    jaccard_distance('x0f', 'x0f');
-- No bit in common is the greatest distance, also when no bit is set at all.
SELECT 'x00'::descriptor <%> 'x00', 'x00'::descriptor <%> 'x01';

-- Half with half and half with real.
SELECT a <-> b AS l2, a <#> b AS negative_ip, a <=> b AS cosine, a <+> b AS l1
    FROM (VALUES ('[3,0,0]'::descriptor(3, half), '[0,-4,0]'::descriptor(3, half)),
        ('[3,0,0]'::descriptor(3, half), '[0,-4,0]'::descriptor(3)),
        ('[3,0,0]'::descriptor(3), '[0,-4,0]'::descriptor(3, half))) AS pairs (a, b);

-- Similarities are between 0 and 1.
SELECT l2_similarity('[1,2]', '[1,2]'), l2_similarity('[0,0]', '[3,0]'),
    cosine_similarity('[2,0]', '[4,0]'), cosine_similarity('[1,0]', '[0,1]'),
    cosine_similarity('[1,0]', '[-1,0]'), hamming_similarity('xff', 'xff'),
    hamming_similarity('xff', 'xfc'), hamming_similarity('xff', 'x00');

-- Orthogonal values have no negative zero; a zero vector has no direction.
SELECT '[1,0]'::descriptor <#> '[0,1]', '[0,0]'::descriptor <=> '[1,1]',
    cosine_similarity('[0,0]', '[1,1]');
-- Sums that a real cannot hold.
SELECT '[3e38]'::descriptor <-> '[-3e38]' = 2 * '3e38'::real::double precision AS large,
    '[1e-30]'::descriptor <-> '[0]' = '1e-30'::real::double precision AS small,
    '[3e38]'::descriptor <=> '[1e-38]' AS cosine;

-- Long values meet every part of the loops; the results are small whole numbers.
SELECT count(*) FROM generate_series(1, 100) AS dims,
    LATERAL (SELECT array_agg(i % 7)::descriptor AS a, array_agg(i % 5)::descriptor AS b,
        sum((i % 7 - i % 5) ^ 2) AS l2_squared, sum(abs(i % 7 - i % 5)) AS l1,
        sum((i % 7) * (i % 5)) AS product FROM generate_series(1, dims) i) AS v
    WHERE l2_squared_distance(a, b) = l2_squared AND a <+> b = l1 AND a <#> b = -product
        AND inner_product(a, b::descriptor) = product;

-- Both must have the same dimensions and a kind that the distance is made for.
SELECT '[1,2]'::descriptor <-> '[1,2,3]';
SELECT '[1,2]'::descriptor <#> '[1]';
SELECT '[1,2]'::descriptor <=> '[1]';
SELECT '[1,2]'::descriptor <+> '[1]';
SELECT 'b1'::descriptor <~> 'b10';
SELECT 'b1'::descriptor <%> 'b10';
SELECT l2_similarity('[1]', '[1,2]');
SELECT 'b1'::descriptor <-> '[1]';
SELECT '[1]'::descriptor <#> 'b1';
SELECT 'b1'::descriptor <=> 'b1';
SELECT 'b1'::descriptor <+> 'b1';
SELECT '[1]'::descriptor <~> '[1]';
SELECT 'b1'::descriptor <%> '[1]'::descriptor(1, half);
SELECT cosine_similarity('b1', 'b1');
SELECT hamming_similarity('[1]', '[1]');
SELECT '[1]'::descriptor <-> NULL IS NULL AS strict;

-- Exact nearest neighbours: a sort on the distance, with any WHERE.
CREATE TABLE places (id integer PRIMARY KEY, kind text, features descriptor(2));
INSERT INTO places SELECT i, CASE i % 2 WHEN 0 THEN 'even' ELSE 'odd' END, ARRAY[i, 0]
    FROM generate_series(1, 1000) i;
INSERT INTO places VALUES (1001, 'even', NULL);
EXPLAIN (COSTS OFF) SELECT id FROM places WHERE kind = 'even'
    ORDER BY features <-> '[500,0]' LIMIT 3;
SELECT id, features <-> '[501,0]' AS distance FROM places WHERE kind = 'even'
    ORDER BY features <-> '[501,0]', id LIMIT 4;
SELECT id, features <#> '[1,0]' AS distance FROM places ORDER BY features <#> '[1,0]' LIMIT 2;
SELECT id FROM places ORDER BY features <-> (SELECT features FROM places WHERE id = 7) LIMIT 1;
-- NULL comes last.
SELECT id, features <-> '[0,0]' AS distance FROM places ORDER BY 2 OFFSET 999;
DROP TABLE places;
