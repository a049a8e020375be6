-- Every mistake has an SQLSTATE of its class, and a hint where there is something to do.
CREATE FUNCTION attempt(statement text) RETURNS TABLE (code text, message text, detail text,
    hint text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    code := 'fine';
    RETURN NEXT;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN NEXT;
END $$;
\x
\pset tuples_only
SELECT expression, code, message, NULLIF(detail, '') AS detail, NULLIF(hint, '') AS hint
FROM (VALUES
    ($$''::descriptor$$), ($$'12'::descriptor$$), ($$'[]'::descriptor$$), ($$'[1'::descriptor$$),
    ($$'[1]2'::descriptor$$), ($$'[1,a]'::descriptor$$), ($$'x0g'::descriptor$$),
    ($$'[NaN]'::descriptor$$), ($$'[inf]'::descriptor$$), ($$'[1e39]'::descriptor$$),
    ($$'[65520]'::descriptor(1, half)$$), ($$('b' || repeat('1', 64001))::descriptor$$),
    ($$'[1,2]'::descriptor(3)$$), ($$'x0f'::descriptor(8)$$), ($$'[1]'::descriptor(1, bit)$$),
    ($$NULL::descriptor(0)$$), ($$NULL::descriptor(x)$$), ($$NULL::descriptor(half, 3)$$), ($$NULL::descriptor(3, float)$$),
    ($$NULL::descriptor(3, half, 1)$$), ($$descriptor_in('[1]', 0, 2147483647)$$),
    ($$'[1]'::descriptor::descriptor(1, bit)$$), ($$'b1'::descriptor::descriptor(1, half)$$),
    ($$'[70000]'::descriptor::descriptor(1, half)$$), ($$'{{1}}'::real[]::descriptor$$),
    ($$'{NULL}'::real[]::descriptor$$), ($$'{1}'::real[]::descriptor(1, bit)$$),
    ($$'{1e39}'::double precision[]::descriptor$$), ($$'{1e400}'::numeric[]::descriptor$$),
    ($$'{NaN}'::real[]::descriptor$$), ($$'[3e9]'::descriptor::integer[]$$),
    ($$'b1'::descriptor::real[]$$), ($$'b1'::descriptor::bytea$$),
    ($$'[1]'::descriptor::bit varying$$), ($$'[1]'::descriptor::bit(1)$$), ($$'b101'::descriptor::bit$$), ($$''::bit varying::descriptor$$),
    ($$'[1]'::descriptor <-> '[1,2]'$$), ($$'b1'::descriptor <-> 'b1'$$),
    ($$'[1]'::descriptor <~> '[1]'$$), ($$'[3e38]'::descriptor + '[3e38]'$$),
    ($$'[1e-38]'::descriptor * '[1e-38]'$$), ($$'b1'::descriptor || '[1]'$$),
    ($$subvector('[1]', 2, 1)$$), ($$descriptor_avg('{}')$$),
    ($$descriptor_combine('{1,0,1,2}', '{1,0,1}')$$), ($$avg('b1'::descriptor)$$)
) AS mistakes (expression), LATERAL attempt('SELECT ' || expression);
\pset tuples_only
\x
DROP FUNCTION attempt;
