-- The binary form: dimensions and kind in 16 bits each, then the elements, all in network order.
-- Real is laid out as in pgvector's "vector".
SELECT descriptor_send('[1,2.5,-3]');
SELECT descriptor_send('[1,-2,65504,0.1]'::descriptor(4, half));
SELECT descriptor_send('x0f3a'), descriptor_send('b10110'), descriptor_send('b1');
-- Dimensions are unsigned.
SELECT substr(descriptor_send(('x' || repeat('a', 16000))::descriptor), 1, 6);
SELECT octet_length(descriptor_send(('[' || repeat('1,', 15999) || '1]')::descriptor))
    AS real_bytes,
    octet_length(descriptor_send(('[' || repeat('1,', 15999) || '1]')::descriptor(16000, half)))
        AS half_bytes,
    octet_length(descriptor_send(('b' || repeat('1', 64000))::descriptor)) AS bit_bytes;
