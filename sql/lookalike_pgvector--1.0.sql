-- Indexes of access method faiss on the columns of pgvector: docs/PGVECTOR.md.
\echo Use "CREATE EXTENSION lookalike_pgvector CASCADE" to load this file. \quit

-- vector ------------------------------------------------------------------------------------------

-- A vector lies in memory as a real descriptor does.
CREATE CAST (vector AS descriptor) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE FUNCTION descriptor_to_vector(descriptor) RETURNS vector
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_to_vector(descriptor) IS 'the same elements';
CREATE CAST (descriptor AS vector) WITH FUNCTION descriptor_to_vector(descriptor) AS ASSIGNMENT;

CREATE TYPE vector_sphere AS (center vector, radius double precision);
COMMENT ON TYPE vector_sphere IS 'all places within a radius of a centre';
-- The name by which within_support() looks for it.
CREATE FUNCTION descriptor_sphere(center vector, radius double precision) RETURNS vector_sphere
    AS 'MODULE_PATHNAME', 'make_sphere' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_sphere(vector, double precision) IS 'all places within a radius of a centre';

CREATE FUNCTION within_vector_support(internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'within_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION within_vector_support(internal) IS 'tells the planner how an index serves within()';
CREATE FUNCTION within(a vector, b vector, radius double precision) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT within_vector_support;
COMMENT ON FUNCTION within(vector, vector, double precision) IS 'a <-> b is at most radius; an index serves it';
CREATE FUNCTION within_ip(a vector, b vector, radius double precision) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT within_vector_support;
COMMENT ON FUNCTION within_ip(vector, vector, double precision) IS 'a <#> b is at most radius; an index serves it';
CREATE FUNCTION within_cosine(a vector, b vector, radius double precision) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT within_vector_support;
COMMENT ON FUNCTION within_cosine(vector, vector, double precision) IS 'a <=> b is at most radius; an index serves it';

CREATE FUNCTION in_vector_sphere_selectivity(internal, oid, internal, integer) RETURNS double precision
    AS 'MODULE_PATHNAME', 'in_sphere_selectivity' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION in_vector_sphere_selectivity(internal, oid, internal, integer) IS 'tells the planner which share of the rows lies in a sphere';
CREATE FUNCTION in_vector_sphere_join_selectivity(internal, oid, internal, smallint, internal)
    RETURNS double precision
    AS 'MODULE_PATHNAME', 'in_sphere_join_selectivity' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION in_vector_sphere_join_selectivity(internal, oid, internal, smallint, internal) IS 'tells the planner which share of the pairs of rows a sphere joins';

CREATE FUNCTION in_l2_sphere(vector, vector_sphere) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION in_l2_sphere(vector, vector_sphere) IS 'Euclidean distance to the centre at most the radius';
CREATE FUNCTION in_ip_sphere(vector, vector_sphere) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION in_ip_sphere(vector, vector_sphere) IS 'negative inner product to the centre at most the radius';
CREATE FUNCTION in_cosine_sphere(vector, vector_sphere) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION in_cosine_sphere(vector, vector_sphere) IS 'cosine distance to the centre at most the radius';
CREATE OPERATOR <@-> (
    LEFTARG = vector, RIGHTARG = vector_sphere, FUNCTION = in_l2_sphere,
    RESTRICT = in_vector_sphere_selectivity, JOIN = in_vector_sphere_join_selectivity
);
COMMENT ON OPERATOR <@-> (vector, vector_sphere) IS 'Euclidean distance to the centre at most the radius';
CREATE OPERATOR <@#> (
    LEFTARG = vector, RIGHTARG = vector_sphere, FUNCTION = in_ip_sphere,
    RESTRICT = in_vector_sphere_selectivity, JOIN = in_vector_sphere_join_selectivity
);
COMMENT ON OPERATOR <@#> (vector, vector_sphere) IS 'negative inner product to the centre at most the radius';
CREATE OPERATOR <@=> (
    LEFTARG = vector, RIGHTARG = vector_sphere, FUNCTION = in_cosine_sphere,
    RESTRICT = in_vector_sphere_selectivity, JOIN = in_vector_sphere_join_selectivity
);
COMMENT ON OPERATOR <@=> (vector, vector_sphere) IS 'cosine distance to the centre at most the radius';

CREATE FUNCTION faiss_vector_l2_class() RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION faiss_vector_l2_class() IS 'type and metric of vector_l2_ops';
CREATE FUNCTION faiss_vector_ip_class() RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION faiss_vector_ip_class() IS 'type and metric of vector_ip_ops';
CREATE FUNCTION faiss_vector_cosine_class() RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION faiss_vector_cosine_class() IS 'type and metric of vector_cosine_ops';
CREATE OPERATOR CLASS vector_l2_ops DEFAULT FOR TYPE vector USING faiss AS
    OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops,
    OPERATOR 2 <@-> (vector, vector_sphere),
    FUNCTION 1 faiss_vector_l2_class();
COMMENT ON OPERATOR CLASS vector_l2_ops USING faiss IS '<-> and within(): Euclidean distance';
CREATE OPERATOR CLASS vector_ip_ops FOR TYPE vector USING faiss AS
    OPERATOR 1 <#> (vector, vector) FOR ORDER BY float_ops,
    OPERATOR 2 <@#> (vector, vector_sphere),
    FUNCTION 1 faiss_vector_ip_class();
COMMENT ON OPERATOR CLASS vector_ip_ops USING faiss IS '<#> and within_ip(): inner product';
CREATE OPERATOR CLASS vector_cosine_ops FOR TYPE vector USING faiss AS
    OPERATOR 1 <=> (vector, vector) FOR ORDER BY float_ops,
    OPERATOR 2 <@=> (vector, vector_sphere),
    FUNCTION 1 faiss_vector_cosine_class();
COMMENT ON OPERATOR CLASS vector_cosine_ops USING faiss IS '<=> and within_cosine(): cosine distance';

-- halfvec and bit, where pgvector has them (0.7) ---------------------------------------------------

DO $do$
BEGIN
    IF to_regtype('halfvec') IS NOT NULL THEN
        CREATE FUNCTION halfvec_to_descriptor(halfvec) RETURNS descriptor
            AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
        COMMENT ON FUNCTION halfvec_to_descriptor(halfvec) IS 'the same elements, of kind half';
        CREATE FUNCTION descriptor_to_halfvec(descriptor) RETURNS halfvec
            AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
        COMMENT ON FUNCTION descriptor_to_halfvec(descriptor) IS 'the same elements, rounded';
        CREATE CAST (halfvec AS descriptor) WITH FUNCTION halfvec_to_descriptor(halfvec) AS ASSIGNMENT;
        CREATE CAST (descriptor AS halfvec) WITH FUNCTION descriptor_to_halfvec(descriptor) AS ASSIGNMENT;
        CREATE FUNCTION faiss_halfvec_l2_class() RETURNS integer
            AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
        COMMENT ON FUNCTION faiss_halfvec_l2_class() IS 'type and metric of halfvec_l2_ops';
        CREATE FUNCTION faiss_halfvec_ip_class() RETURNS integer
            AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
        COMMENT ON FUNCTION faiss_halfvec_ip_class() IS 'type and metric of halfvec_ip_ops';
        CREATE FUNCTION faiss_halfvec_cosine_class() RETURNS integer
            AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
        COMMENT ON FUNCTION faiss_halfvec_cosine_class() IS 'type and metric of halfvec_cosine_ops';
        CREATE OPERATOR CLASS halfvec_l2_ops DEFAULT FOR TYPE halfvec USING faiss AS
            OPERATOR 1 <-> (halfvec, halfvec) FOR ORDER BY float_ops,
            FUNCTION 1 faiss_halfvec_l2_class();
        COMMENT ON OPERATOR CLASS halfvec_l2_ops USING faiss IS '<->: Euclidean distance';
        CREATE OPERATOR CLASS halfvec_ip_ops FOR TYPE halfvec USING faiss AS
            OPERATOR 1 <#> (halfvec, halfvec) FOR ORDER BY float_ops,
            FUNCTION 1 faiss_halfvec_ip_class();
        COMMENT ON OPERATOR CLASS halfvec_ip_ops USING faiss IS '<#>: inner product';
        CREATE OPERATOR CLASS halfvec_cosine_ops FOR TYPE halfvec USING faiss AS
            OPERATOR 1 <=> (halfvec, halfvec) FOR ORDER BY float_ops,
            FUNCTION 1 faiss_halfvec_cosine_class();
        COMMENT ON OPERATOR CLASS halfvec_cosine_ops USING faiss IS '<=>: cosine distance';
    END IF;
    IF to_regoperator('<~>(bit, bit)') IS NOT NULL THEN
        CREATE FUNCTION faiss_bit_hamming_class() RETURNS integer
            AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
        COMMENT ON FUNCTION faiss_bit_hamming_class() IS 'type and metric of bit_hamming_ops';
        CREATE FUNCTION faiss_bit_jaccard_class() RETURNS integer
            AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
        COMMENT ON FUNCTION faiss_bit_jaccard_class() IS 'type and metric of bit_jaccard_ops';
        CREATE OPERATOR CLASS bit_hamming_ops DEFAULT FOR TYPE bit USING faiss AS
            OPERATOR 1 <~> (bit, bit) FOR ORDER BY float_ops,
            FUNCTION 1 faiss_bit_hamming_class();
        COMMENT ON OPERATOR CLASS bit_hamming_ops USING faiss IS '<~>: bits that differ';
        CREATE OPERATOR CLASS bit_jaccard_ops FOR TYPE bit USING faiss AS
            OPERATOR 1 <%> (bit, bit) FOR ORDER BY float_ops,
            FUNCTION 1 faiss_bit_jaccard_class();
        COMMENT ON OPERATOR CLASS bit_jaccard_ops USING faiss IS '<%>: Jaccard distance';
    END IF;
END
$do$;
