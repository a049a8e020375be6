SELECT '[1,2,3]'::descriptor + '[4,5,6]' AS sum, '[1,2,3]'::descriptor - '[4,5,7]' AS difference,
    '[1,2,3]'::descriptor * '[4,5,-6]' AS product, '[1,2]'::descriptor || '[3]' AS joined;
-- Half with half stays half, anything else becomes real.
SELECT r, descriptor_kind(r) FROM (VALUES
    ('[1,2]'::descriptor(2, half) + '[0.5,1]'::descriptor(2, half)),
    ('[1,2]'::descriptor(2, half) - '[0.5,1]'::descriptor(2)),
    ('[1,2]'::descriptor(2) * '[0.5,1]'::descriptor(2, half)),
    ('[1,2]'::descriptor(2, half) || '[0.5]'::descriptor(1, half)),
    ('[1,2]'::descriptor(2, half) || '[0.5]'::descriptor(1)),
    ('b101'::descriptor || 'b00111'), ('b1'::descriptor || 'b1')) AS results (r);
SELECT '[1,2]'::descriptor + '[1]';
SELECT '[1,2]'::descriptor - '[1]';
SELECT '[1,2]'::descriptor * '[1]';
SELECT 'b1'::descriptor + 'b1';
SELECT '[1]'::descriptor * 'b1';
SELECT 'b1'::descriptor || '[1]';
SELECT '[3e38]'::descriptor + '[3e38]';
SELECT '[-3e38]'::descriptor - '[3e38]';
SELECT '[1e38]'::descriptor * '[1e38]';
SELECT '[1e-38]'::descriptor * '[1e-38]';
SELECT '[60000]'::descriptor(1, half) + '[60000]'::descriptor(1, half);
SELECT '[1e-4]'::descriptor(1, half) * '[1e-4]'::descriptor(1, half);
SELECT '[60000]'::descriptor(1, half) + '[60000]'::descriptor(1) AS real_has_room;
SELECT '[0]'::descriptor * '[1e-38]' AS exact_zero;
SELECT (SELECT array_agg(1)::descriptor FROM generate_series(1, 9000)) ||
    (SELECT array_agg(1)::descriptor FROM generate_series(1, 7001));

SELECT descriptor_dims('[1,2,3]'), descriptor_dims('b10110'), descriptor_dims('x0f3a');
SELECT descriptor_kind('[1]'), descriptor_kind('[1]'::descriptor(1, half)), descriptor_kind('b1');
SELECT descriptor_norm('[3,4]'), descriptor_norm('[3,4]'::descriptor(2, half)),
    descriptor_norm('[0]');
SELECT descriptor_norm('[3e38,3e38]') > 4.2e38 AS no_overflow;
SELECT descriptor_norm('b1');

SELECT l2_normalize('[3,4]'), l2_normalize('[0,0]'), l2_normalize('[-2e38,0]'),
    l2_normalize('[1e-45]');
SELECT r, descriptor_kind(r) FROM l2_normalize('[3,4]'::descriptor(2, half)) r;
SELECT l2_normalize('b1');

-- Positions count from 1; what lies outside is cut off, as in substring().
SELECT subvector('[1,2,3,4,5]', 1, 3), subvector('[1,2,3,4,5]', 3, 2),
    subvector('[1,2,3,4,5]', -1, 3),
    subvector('[1,2,3,4,5]', 3, 9), subvector('[1,2,3,4,5]', 0, 2147483647),
    subvector('[1,2,3,4,5]', 5, 2147483647);
SELECT r, descriptor_kind(r) FROM (VALUES (subvector('[1,2,3]'::descriptor(3, half), 2, 2)),
    (subvector('b1011011101', 2, 7)), (subvector('xabcd', 5, 8))) AS results (r);
SELECT subvector('[1,2,3]', 1, 0);
SELECT subvector('[1,2,3]', 2, -1);
SELECT subvector('[1,2,3]', 4, 1);
SELECT subvector('[1,2,3]', -2147483648, 2147483647);
SELECT subvector('[1,2,3]', 2147483647, 2147483647);
SELECT subvector('[1,2,3]', -2147483648, -2147483648);

SELECT binary_quantize('[1,0,-1,0.001]'), binary_quantize('[-0,0,1,1,1,1,1,1,-5]'),
    binary_quantize('[0.5,-0.5,2]'::descriptor(3, half));
SELECT binary_quantize('b1');
