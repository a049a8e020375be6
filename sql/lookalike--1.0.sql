-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION lookalike" to load this file. \quit

-- The type ---------------------------------------------------------------------------------------

CREATE TYPE descriptor;

CREATE FUNCTION descriptor_in(cstring, oid, integer) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_in(cstring, oid, integer) IS 'text input of descriptor';
CREATE FUNCTION descriptor_out(descriptor) RETURNS cstring
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_out(descriptor) IS 'text output of descriptor';
CREATE FUNCTION descriptor_recv(internal, oid, integer) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_recv(internal, oid, integer) IS 'binary input of descriptor';
CREATE FUNCTION descriptor_send(descriptor) RETURNS bytea
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_send(descriptor) IS 'binary output of descriptor';
CREATE FUNCTION descriptor_typmod_in(cstring[]) RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_typmod_in(cstring[]) IS 'reads the dimensions and the kind in a declaration of descriptor';
CREATE FUNCTION descriptor_typmod_out(integer) RETURNS cstring
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_typmod_out(integer) IS 'writes the dimensions and the kind of a declaration of descriptor';

-- External: short values stay in the row, and long ones, which do not compress, are moved out as
-- they are.
CREATE TYPE descriptor (
    INPUT = descriptor_in,
    OUTPUT = descriptor_out,
    RECEIVE = descriptor_recv,
    SEND = descriptor_send,
    TYPMOD_IN = descriptor_typmod_in,
    TYPMOD_OUT = descriptor_typmod_out,
    ALIGNMENT = int4,
    STORAGE = external
);
COMMENT ON TYPE descriptor IS 'the features of an image: real numbers, half-precision numbers or bits';

-- The planner ------------------------------------------------------------------------------------

-- With this support, COST counts for 64 bytes of a descriptor, which a distance compares in 3 ns, and
-- fetching a column's values from TOAST is charged beside it.
CREATE FUNCTION descriptor_cost_support(internal) RETURNS internal
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_cost_support(internal) IS 'tells the planner what a function of descriptors costs';

-- Casts ------------------------------------------------------------------------------------------

CREATE FUNCTION descriptor(descriptor, integer, boolean) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support COST 10;
COMMENT ON FUNCTION descriptor(descriptor, integer, boolean) IS 'fits a descriptor to the dimensions and the kind of a declaration';
CREATE FUNCTION array_to_descriptor(integer[], integer, boolean) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support COST 15;
COMMENT ON FUNCTION array_to_descriptor(integer[], integer, boolean) IS 'the descriptor that has the elements of an array';
CREATE FUNCTION array_to_descriptor(real[], integer, boolean) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support COST 15;
COMMENT ON FUNCTION array_to_descriptor(real[], integer, boolean) IS 'the descriptor that has the elements of an array';
CREATE FUNCTION array_to_descriptor(double precision[], integer, boolean) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support COST 15;
COMMENT ON FUNCTION array_to_descriptor(double precision[], integer, boolean) IS 'the descriptor that has the elements of an array';
CREATE FUNCTION array_to_descriptor(numeric[], integer, boolean) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support COST 350;
COMMENT ON FUNCTION array_to_descriptor(numeric[], integer, boolean) IS 'the descriptor that has the elements of an array';
CREATE FUNCTION varbit_to_descriptor(bit varying, integer, boolean) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION varbit_to_descriptor(bit varying, integer, boolean) IS 'the descriptor that has the bits of a bit string';
CREATE FUNCTION bytea_to_descriptor(bytea, integer, boolean) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION bytea_to_descriptor(bytea, integer, boolean) IS 'the descriptor that has the bits of a byte string, 8 dimensions a byte';
CREATE FUNCTION descriptor_to_float4(descriptor) RETURNS real[]
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support COST 20;
COMMENT ON FUNCTION descriptor_to_float4(descriptor) IS 'the elements of a descriptor';
CREATE FUNCTION descriptor_to_float8(descriptor) RETURNS double precision[]
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support COST 20;
COMMENT ON FUNCTION descriptor_to_float8(descriptor) IS 'the elements of a descriptor';
CREATE FUNCTION descriptor_to_int4(descriptor) RETURNS integer[]
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support COST 30;
COMMENT ON FUNCTION descriptor_to_int4(descriptor) IS 'the elements of a descriptor, rounded';
CREATE FUNCTION descriptor_to_numeric(descriptor) RETURNS numeric[]
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support COST 800;
COMMENT ON FUNCTION descriptor_to_numeric(descriptor) IS 'the elements of a descriptor, to 6 digits';
CREATE FUNCTION descriptor_to_varbit(descriptor) RETURNS bit varying
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION descriptor_to_varbit(descriptor) IS 'the bits of a descriptor';
CREATE FUNCTION descriptor_to_bit(descriptor, integer, boolean) RETURNS bit
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION descriptor_to_bit(descriptor, integer, boolean) IS 'the bits of a descriptor, as many as it has';
CREATE FUNCTION descriptor_to_bytea(descriptor) RETURNS bytea
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION descriptor_to_bytea(descriptor) IS 'the bits of a descriptor, 8 dimensions a byte';

CREATE CAST (descriptor AS descriptor)
    WITH FUNCTION descriptor(descriptor, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (descriptor AS descriptor) IS 'checks the dimensions; real and half convert into each other';
CREATE CAST (integer[] AS descriptor)
    WITH FUNCTION array_to_descriptor(integer[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (integer[] AS descriptor) IS 'real or half';
CREATE CAST (real[] AS descriptor)
    WITH FUNCTION array_to_descriptor(real[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (real[] AS descriptor) IS 'real or half';
CREATE CAST (double precision[] AS descriptor)
    WITH FUNCTION array_to_descriptor(double precision[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (double precision[] AS descriptor) IS 'real or half';
CREATE CAST (numeric[] AS descriptor)
    WITH FUNCTION array_to_descriptor(numeric[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (numeric[] AS descriptor) IS 'real or half';
-- Implicit, so that every operator and function takes B'101', the type of which is bit. No expression
-- that means something without it changes: for operators of bit that PostgreSQL has, such as = and
-- ||, the arguments' own type or bit varying, the preferred type of their category, goes first. Bit
-- varying is left to assignment: pgvector has <~> and <%> of bit, to which bit varying converts
-- implicitly as well, and with two ways neither would be taken.
CREATE CAST (bit AS descriptor)
    WITH FUNCTION varbit_to_descriptor(bit varying, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (bit AS descriptor) IS 'bit';
CREATE CAST (bit varying AS descriptor)
    WITH FUNCTION varbit_to_descriptor(bit varying, integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (bit varying AS descriptor) IS 'bit';
CREATE CAST (bytea AS descriptor)
    WITH FUNCTION bytea_to_descriptor(bytea, integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (bytea AS descriptor) IS 'bit, 8 dimensions a byte';
CREATE CAST (descriptor AS real[])
    WITH FUNCTION descriptor_to_float4(descriptor) AS IMPLICIT;
COMMENT ON CAST (descriptor AS real[]) IS 'exact';
CREATE CAST (descriptor AS double precision[])
    WITH FUNCTION descriptor_to_float8(descriptor) AS ASSIGNMENT;
COMMENT ON CAST (descriptor AS double precision[]) IS 'exact';
CREATE CAST (descriptor AS integer[])
    WITH FUNCTION descriptor_to_int4(descriptor) AS ASSIGNMENT;
COMMENT ON CAST (descriptor AS integer[]) IS 'rounds';
CREATE CAST (descriptor AS numeric[])
    WITH FUNCTION descriptor_to_numeric(descriptor) AS ASSIGNMENT;
COMMENT ON CAST (descriptor AS numeric[]) IS '6 digits';
CREATE CAST (descriptor AS bit varying)
    WITH FUNCTION descriptor_to_varbit(descriptor) AS ASSIGNMENT;
COMMENT ON CAST (descriptor AS bit varying) IS 'of bit descriptors';
-- Not implicit: of a descriptor and a bit the operators of descriptor are meant.
CREATE CAST (descriptor AS bit)
    WITH FUNCTION descriptor_to_bit(descriptor, integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (descriptor AS bit) IS 'of bit descriptors, whose dimensions must be those of the type';
CREATE CAST (descriptor AS bytea)
    WITH FUNCTION descriptor_to_bytea(descriptor) AS ASSIGNMENT;
COMMENT ON CAST (descriptor AS bytea) IS 'of bit descriptors whose dimensions are a multiple of 8';

-- Distances ---------------------------------------------------------------------------------------

CREATE FUNCTION l2_distance(a descriptor, b descriptor) RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION l2_distance(descriptor, descriptor) IS 'Euclidean distance';
CREATE FUNCTION l2_squared_distance(a descriptor, b descriptor) RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION l2_squared_distance(descriptor, descriptor) IS 'square of the Euclidean distance';
CREATE FUNCTION inner_product(a descriptor, b descriptor) RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION inner_product(descriptor, descriptor) IS 'inner product';
CREATE FUNCTION negative_inner_product(a descriptor, b descriptor) RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION negative_inner_product(descriptor, descriptor) IS 'inner product with its sign changed, so that near is small';
CREATE FUNCTION cosine_distance(a descriptor, b descriptor) RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION cosine_distance(descriptor, descriptor) IS '1 - cosine of the angle, from 0 to 2';
CREATE FUNCTION l1_distance(a descriptor, b descriptor) RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION l1_distance(descriptor, descriptor) IS 'sum of absolute differences';
CREATE FUNCTION hamming_distance(a descriptor, b descriptor) RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION hamming_distance(descriptor, descriptor) IS 'number of bits that differ';
CREATE FUNCTION jaccard_distance(a descriptor, b descriptor) RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION jaccard_distance(descriptor, descriptor) IS '1 - shared bits / bits set in either';
CREATE FUNCTION l2_similarity(a descriptor, b descriptor) RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION l2_similarity(descriptor, descriptor) IS '1 / (1 + Euclidean distance), from 0 to 1';
CREATE FUNCTION cosine_similarity(a descriptor, b descriptor) RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION cosine_similarity(descriptor, descriptor) IS '1 - cosine distance / 2, from 0 to 1';
CREATE FUNCTION hamming_similarity(a descriptor, b descriptor) RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION hamming_similarity(descriptor, descriptor) IS 'share of equal bits, from 0 to 1';

CREATE OPERATOR <-> (
    LEFTARG = descriptor, RIGHTARG = descriptor, FUNCTION = l2_distance, COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (descriptor, descriptor) IS 'Euclidean distance';
CREATE OPERATOR <#> (
    LEFTARG = descriptor, RIGHTARG = descriptor, FUNCTION = negative_inner_product, COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (descriptor, descriptor) IS 'inner product with its sign changed, so that near is small';
CREATE OPERATOR <=> (
    LEFTARG = descriptor, RIGHTARG = descriptor, FUNCTION = cosine_distance, COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (descriptor, descriptor) IS '1 - cosine of the angle, from 0 to 2';
CREATE OPERATOR <+> (
    LEFTARG = descriptor, RIGHTARG = descriptor, FUNCTION = l1_distance, COMMUTATOR = <+>
);
COMMENT ON OPERATOR <+> (descriptor, descriptor) IS 'sum of absolute differences';
CREATE OPERATOR <~> (
    LEFTARG = descriptor, RIGHTARG = descriptor, FUNCTION = hamming_distance, COMMUTATOR = <~>
);
COMMENT ON OPERATOR <~> (descriptor, descriptor) IS 'number of bits that differ';
CREATE OPERATOR <%> (
    LEFTARG = descriptor, RIGHTARG = descriptor, FUNCTION = jaccard_distance, COMMUTATOR = <%>
);
COMMENT ON OPERATOR <%> (descriptor, descriptor) IS '1 - shared bits / bits set in either';

-- Within a radius -----------------------------------------------------------------------------------

-- What index conditions compare with. A composite type, so that it needs no text form of its own.
CREATE TYPE descriptor_sphere AS (center descriptor, radius double precision);
COMMENT ON TYPE descriptor_sphere IS 'all places within a radius of a centre';
CREATE FUNCTION descriptor_sphere(center descriptor, radius double precision)
    RETURNS descriptor_sphere
    AS 'MODULE_PATHNAME', 'make_sphere' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_sphere(descriptor, double precision) IS 'all places within a radius of a centre';

CREATE FUNCTION within_support(internal) RETURNS internal
    AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
COMMENT ON FUNCTION within_support(internal) IS 'tells the planner that a faiss index serves within() and its like';

CREATE FUNCTION within(a descriptor, b descriptor, radius double precision)
    RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT within_support;
COMMENT ON FUNCTION within(descriptor, descriptor, double precision) IS 'Euclidean distance at most radius; served by a faiss index';
CREATE FUNCTION within_ip(a descriptor, b descriptor, radius double precision)
    RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT within_support;
COMMENT ON FUNCTION within_ip(descriptor, descriptor, double precision) IS 'negative inner product at most radius; served by a faiss index';
CREATE FUNCTION within_cosine(a descriptor, b descriptor, radius double precision)
    RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT within_support;
COMMENT ON FUNCTION within_cosine(descriptor, descriptor, double precision) IS 'cosine distance at most radius; served by a faiss index';
CREATE FUNCTION within_hamming(a descriptor, b descriptor, radius double precision)
    RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT within_support;
COMMENT ON FUNCTION within_hamming(descriptor, descriptor, double precision) IS 'number of bits that differ at most radius; served by a faiss index';
CREATE FUNCTION within_jaccard(a descriptor, b descriptor, radius double precision)
    RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT within_support;
COMMENT ON FUNCTION within_jaccard(descriptor, descriptor, double precision) IS 'Jaccard distance at most radius; served by a faiss index';

CREATE FUNCTION in_sphere_selectivity(internal, oid, internal, integer) RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION in_sphere_selectivity(internal, oid, internal, integer) IS 'tells the planner which share of the rows lies in a sphere';
CREATE FUNCTION in_sphere_join_selectivity(internal, oid, internal, smallint, internal)
    RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION in_sphere_join_selectivity(internal, oid, internal, smallint, internal) IS 'tells the planner which share of the pairs of rows a sphere joins';

CREATE FUNCTION in_l2_sphere(descriptor, descriptor_sphere) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION in_l2_sphere(descriptor, descriptor_sphere) IS 'Euclidean distance to the centre at most the radius';
CREATE FUNCTION in_ip_sphere(descriptor, descriptor_sphere) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION in_ip_sphere(descriptor, descriptor_sphere) IS 'negative inner product to the centre at most the radius';
CREATE FUNCTION in_cosine_sphere(descriptor, descriptor_sphere) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION in_cosine_sphere(descriptor, descriptor_sphere) IS 'cosine distance to the centre at most the radius';
CREATE FUNCTION in_hamming_sphere(descriptor, descriptor_sphere) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION in_hamming_sphere(descriptor, descriptor_sphere) IS 'bits that differ from the centre at most the radius';
CREATE FUNCTION in_jaccard_sphere(descriptor, descriptor_sphere) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION in_jaccard_sphere(descriptor, descriptor_sphere) IS 'Jaccard distance to the centre at most the radius';

CREATE OPERATOR <@-> (
    LEFTARG = descriptor, RIGHTARG = descriptor_sphere, FUNCTION = in_l2_sphere,
    RESTRICT = in_sphere_selectivity, JOIN = in_sphere_join_selectivity
);
COMMENT ON OPERATOR <@-> (descriptor, descriptor_sphere) IS 'Euclidean distance to the centre at most the radius';
CREATE OPERATOR <@#> (
    LEFTARG = descriptor, RIGHTARG = descriptor_sphere, FUNCTION = in_ip_sphere,
    RESTRICT = in_sphere_selectivity, JOIN = in_sphere_join_selectivity
);
COMMENT ON OPERATOR <@#> (descriptor, descriptor_sphere) IS 'negative inner product to the centre at most the radius';
CREATE OPERATOR <@=> (
    LEFTARG = descriptor, RIGHTARG = descriptor_sphere, FUNCTION = in_cosine_sphere,
    RESTRICT = in_sphere_selectivity, JOIN = in_sphere_join_selectivity
);
COMMENT ON OPERATOR <@=> (descriptor, descriptor_sphere) IS 'cosine distance to the centre at most the radius';
CREATE OPERATOR <@~> (
    LEFTARG = descriptor, RIGHTARG = descriptor_sphere, FUNCTION = in_hamming_sphere,
    RESTRICT = in_sphere_selectivity, JOIN = in_sphere_join_selectivity
);
COMMENT ON OPERATOR <@~> (descriptor, descriptor_sphere) IS 'bits that differ from the centre at most the radius';
CREATE OPERATOR <@%> (
    LEFTARG = descriptor, RIGHTARG = descriptor_sphere, FUNCTION = in_jaccard_sphere,
    RESTRICT = in_sphere_selectivity, JOIN = in_sphere_join_selectivity
);
COMMENT ON OPERATOR <@%> (descriptor, descriptor_sphere) IS 'Jaccard distance to the centre at most the radius';

-- Arithmetic and parts ----------------------------------------------------------------------------

CREATE FUNCTION descriptor_add(a descriptor, b descriptor) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support COST 20;
COMMENT ON FUNCTION descriptor_add(descriptor, descriptor) IS 'sum, dimension by dimension';
CREATE FUNCTION descriptor_sub(a descriptor, b descriptor) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support COST 20;
COMMENT ON FUNCTION descriptor_sub(descriptor, descriptor) IS 'difference, dimension by dimension';
CREATE FUNCTION descriptor_mul(a descriptor, b descriptor) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support COST 20;
COMMENT ON FUNCTION descriptor_mul(descriptor, descriptor) IS 'product, dimension by dimension';
CREATE FUNCTION descriptor_concat(a descriptor, b descriptor) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support COST 12;
COMMENT ON FUNCTION descriptor_concat(descriptor, descriptor) IS 'dimensions of one value after those of the other';
CREATE OPERATOR + (
    LEFTARG = descriptor, RIGHTARG = descriptor, FUNCTION = descriptor_add, COMMUTATOR = +
);
COMMENT ON OPERATOR + (descriptor, descriptor) IS 'sum, dimension by dimension';
CREATE OPERATOR - (
    LEFTARG = descriptor, RIGHTARG = descriptor, FUNCTION = descriptor_sub
);
COMMENT ON OPERATOR - (descriptor, descriptor) IS 'difference, dimension by dimension';
CREATE OPERATOR * (
    LEFTARG = descriptor, RIGHTARG = descriptor, FUNCTION = descriptor_mul, COMMUTATOR = *
);
COMMENT ON OPERATOR * (descriptor, descriptor) IS 'product, dimension by dimension';
CREATE OPERATOR || (
    LEFTARG = descriptor, RIGHTARG = descriptor, FUNCTION = descriptor_concat
);
COMMENT ON OPERATOR || (descriptor, descriptor) IS 'dimensions of one value after those of the other';

CREATE FUNCTION descriptor_dims(a descriptor) RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support COST 0.1;
COMMENT ON FUNCTION descriptor_dims(descriptor) IS 'number of dimensions';
CREATE FUNCTION descriptor_kind(a descriptor) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support COST 0.1;
COMMENT ON FUNCTION descriptor_kind(descriptor) IS 'real, half or bit';
CREATE FUNCTION descriptor_norm(a descriptor) RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support;
COMMENT ON FUNCTION descriptor_norm(descriptor) IS 'Euclidean length';
CREATE FUNCTION l2_normalize(a descriptor) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support COST 10;
COMMENT ON FUNCTION l2_normalize(descriptor) IS 'the same direction with length 1; zero stays zero';
CREATE FUNCTION subvector(a descriptor, start integer, count integer) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support COST 10;
COMMENT ON FUNCTION subvector(descriptor, integer, integer) IS 'dimensions from a position, counted from 1, and how many';
CREATE FUNCTION binary_quantize(a descriptor) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT descriptor_cost_support COST 10;
COMMENT ON FUNCTION binary_quantize(descriptor) IS 'a bit for each dimension: whether it is above zero';

-- Order and hash ----------------------------------------------------------------------------------

CREATE FUNCTION descriptor_lt(descriptor, descriptor) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_lt(descriptor, descriptor) IS 'implementation of < operator';
CREATE FUNCTION descriptor_le(descriptor, descriptor) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_le(descriptor, descriptor) IS 'implementation of <= operator';
CREATE FUNCTION descriptor_eq(descriptor, descriptor) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_eq(descriptor, descriptor) IS 'implementation of = operator';
CREATE FUNCTION descriptor_ne(descriptor, descriptor) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_ne(descriptor, descriptor) IS 'implementation of <> operator';
CREATE FUNCTION descriptor_ge(descriptor, descriptor) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_ge(descriptor, descriptor) IS 'implementation of >= operator';
CREATE FUNCTION descriptor_gt(descriptor, descriptor) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_gt(descriptor, descriptor) IS 'implementation of > operator';
CREATE FUNCTION descriptor_cmp(descriptor, descriptor) RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_cmp(descriptor, descriptor) IS 'less, equal or greater, for btree: -1, 0 or 1';
CREATE FUNCTION descriptor_hash(descriptor) RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_hash(descriptor) IS 'hash';
CREATE FUNCTION descriptor_hash_extended(descriptor, bigint) RETURNS bigint
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_hash_extended(descriptor, bigint) IS 'hash, 64 bits, with a seed';

CREATE OPERATOR < (
    LEFTARG = descriptor, RIGHTARG = descriptor, FUNCTION = descriptor_lt,
    COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (descriptor, descriptor) IS 'less than';
CREATE OPERATOR <= (
    LEFTARG = descriptor, RIGHTARG = descriptor, FUNCTION = descriptor_le,
    COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (descriptor, descriptor) IS 'less than or equal';
CREATE OPERATOR = (
    LEFTARG = descriptor, RIGHTARG = descriptor, FUNCTION = descriptor_eq,
    COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel,
    HASHES, MERGES
);
COMMENT ON OPERATOR = (descriptor, descriptor) IS 'equal';
CREATE OPERATOR <> (
    LEFTARG = descriptor, RIGHTARG = descriptor, FUNCTION = descriptor_ne,
    COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (descriptor, descriptor) IS 'not equal';
CREATE OPERATOR >= (
    LEFTARG = descriptor, RIGHTARG = descriptor, FUNCTION = descriptor_ge,
    COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (descriptor, descriptor) IS 'greater than or equal';
CREATE OPERATOR > (
    LEFTARG = descriptor, RIGHTARG = descriptor, FUNCTION = descriptor_gt,
    COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (descriptor, descriptor) IS 'greater than';

CREATE OPERATOR CLASS descriptor_ops DEFAULT FOR TYPE descriptor USING btree AS
    OPERATOR 1 <,
    OPERATOR 2 <=,
    OPERATOR 3 =,
    OPERATOR 4 >=,
    OPERATOR 5 >,
    FUNCTION 1 descriptor_cmp(descriptor, descriptor);
COMMENT ON OPERATOR CLASS descriptor_ops USING btree IS 'total order of descriptors';

CREATE OPERATOR CLASS descriptor_ops DEFAULT FOR TYPE descriptor USING hash AS
    OPERATOR 1 =,
    FUNCTION 1 descriptor_hash(descriptor),
    FUNCTION 2 descriptor_hash_extended(descriptor, bigint);
COMMENT ON OPERATOR CLASS descriptor_ops USING hash IS 'equality of descriptors';

-- Aggregates --------------------------------------------------------------------------------------

CREATE FUNCTION descriptor_accum(double precision[], descriptor) RETURNS double precision[]
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_accum(double precision[], descriptor) IS 'adds a row to the state of sum() and avg()';
CREATE FUNCTION descriptor_combine(double precision[], double precision[]) RETURNS double precision[]
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_combine(double precision[], double precision[]) IS 'adds two states of sum() and avg()';
CREATE FUNCTION descriptor_sum(double precision[]) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_sum(double precision[]) IS 'the result of sum()';
CREATE FUNCTION descriptor_avg(double precision[]) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION descriptor_avg(double precision[]) IS 'the result of avg()';

-- The state is the number of rows, whether all of them are half, and a sum for each dimension.
CREATE AGGREGATE sum(descriptor) (
    SFUNC = descriptor_accum, STYPE = double precision[], INITCOND = '{0,1}',
    COMBINEFUNC = descriptor_combine, FINALFUNC = descriptor_sum, PARALLEL = SAFE
);
COMMENT ON AGGREGATE sum(descriptor) IS 'sum, dimension by dimension';
CREATE AGGREGATE avg(descriptor) (
    SFUNC = descriptor_accum, STYPE = double precision[], INITCOND = '{0,1}',
    COMBINEFUNC = descriptor_combine, FINALFUNC = descriptor_avg, PARALLEL = SAFE
);
COMMENT ON AGGREGATE avg(descriptor) IS 'mean, dimension by dimension';

-- Learning from marks --------------------------------------------------------------------------------

CREATE FUNCTION rocchio(query descriptor, good descriptor[], bad descriptor[] DEFAULT '{}',
    keep double precision DEFAULT 1, towards double precision DEFAULT 0.75,
    away double precision DEFAULT 0.25) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION rocchio(descriptor, descriptor[], descriptor[], double precision, double precision, double precision) IS 'a query moved towards what was marked good and away from what was marked bad';

-- Clusters ----------------------------------------------------------------------------------------

-- What they find may depend on maintenance_work_mem, and on the number of threads.
CREATE FUNCTION kmeans(features descriptor, k integer, metric text DEFAULT NULL) RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C WINDOW STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION kmeans(descriptor, integer, text) IS 'number of the k-means cluster of a row, the largest is 0; k NULL: as many as fit the rows';
CREATE FUNCTION dbscan(features descriptor, radius double precision, min_rows integer,
    metric text DEFAULT NULL) RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C WINDOW STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION dbscan(descriptor, double precision, integer, text) IS 'number of the DBSCAN cluster of a row, the largest is 0; NULL between them';

-- The index access method ------------------------------------------------------------------------

CREATE FUNCTION faiss_handler(internal) RETURNS index_am_handler
    AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION faiss_handler(internal) IS 'access method faiss';
CREATE ACCESS METHOD faiss TYPE INDEX HANDLER faiss_handler;
COMMENT ON ACCESS METHOD faiss IS 'nearest neighbours of descriptors';

CREATE FUNCTION faiss_l2_metric() RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION faiss_l2_metric() IS 'the metric of descriptor_l2_ops';
CREATE FUNCTION faiss_ip_metric() RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION faiss_ip_metric() IS 'the metric of descriptor_ip_ops';
CREATE FUNCTION faiss_cosine_metric() RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION faiss_cosine_metric() IS 'the metric of descriptor_cosine_ops';
CREATE FUNCTION faiss_hamming_metric() RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION faiss_hamming_metric() IS 'the metric of descriptor_hamming_ops';
CREATE FUNCTION faiss_jaccard_metric() RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION faiss_jaccard_metric() IS 'the metric of descriptor_jaccard_ops';

CREATE OPERATOR CLASS descriptor_l2_ops DEFAULT FOR TYPE descriptor USING faiss AS
    OPERATOR 1 <-> (descriptor, descriptor) FOR ORDER BY float_ops,
    OPERATOR 2 <@-> (descriptor, descriptor_sphere),
    FUNCTION 1 faiss_l2_metric();
COMMENT ON OPERATOR CLASS descriptor_l2_ops USING faiss IS '<-> and within(): Euclidean distance';
CREATE OPERATOR CLASS descriptor_ip_ops FOR TYPE descriptor USING faiss AS
    OPERATOR 1 <#> (descriptor, descriptor) FOR ORDER BY float_ops,
    OPERATOR 2 <@#> (descriptor, descriptor_sphere),
    FUNCTION 1 faiss_ip_metric();
COMMENT ON OPERATOR CLASS descriptor_ip_ops USING faiss IS '<#> and within_ip(): inner product';
CREATE OPERATOR CLASS descriptor_cosine_ops FOR TYPE descriptor USING faiss AS
    OPERATOR 1 <=> (descriptor, descriptor) FOR ORDER BY float_ops,
    OPERATOR 2 <@=> (descriptor, descriptor_sphere),
    FUNCTION 1 faiss_cosine_metric();
COMMENT ON OPERATOR CLASS descriptor_cosine_ops USING faiss IS '<=> and within_cosine(): cosine distance';
CREATE OPERATOR CLASS descriptor_hamming_ops FOR TYPE descriptor USING faiss AS
    OPERATOR 1 <~> (descriptor, descriptor) FOR ORDER BY float_ops,
    OPERATOR 2 <@~> (descriptor, descriptor_sphere),
    FUNCTION 1 faiss_hamming_metric();
COMMENT ON OPERATOR CLASS descriptor_hamming_ops USING faiss IS '<~> and within_hamming(): bits that differ';
CREATE OPERATOR CLASS descriptor_jaccard_ops FOR TYPE descriptor USING faiss AS
    OPERATOR 1 <%> (descriptor, descriptor) FOR ORDER BY float_ops,
    OPERATOR 2 <@%> (descriptor, descriptor_sphere),
    FUNCTION 1 faiss_jaccard_metric();
COMMENT ON OPERATOR CLASS descriptor_jaccard_ops USING faiss IS '<%> and within_jaccard(): Jaccard distance';

-- Filter attributes ------------------------------------------------------------------------------

CREATE OPERATOR CLASS faiss_bool_ops DEFAULT FOR TYPE bool USING faiss AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >;
COMMENT ON OPERATOR CLASS faiss_bool_ops USING faiss IS 'boolean attributes';
CREATE OPERATOR CLASS faiss_date_ops DEFAULT FOR TYPE date USING faiss AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >;
COMMENT ON OPERATOR CLASS faiss_date_ops USING faiss IS 'date attributes';
CREATE OPERATOR CLASS faiss_timestamp_ops DEFAULT FOR TYPE timestamp USING faiss AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >;
COMMENT ON OPERATOR CLASS faiss_timestamp_ops USING faiss IS 'timestamp without time zone attributes';
CREATE OPERATOR CLASS faiss_timestamptz_ops DEFAULT FOR TYPE timestamptz USING faiss AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >;
COMMENT ON OPERATOR CLASS faiss_timestamptz_ops USING faiss IS 'timestamp with time zone attributes';
CREATE OPERATOR CLASS faiss_enum_ops DEFAULT FOR TYPE anyenum USING faiss AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >;
COMMENT ON OPERATOR CLASS faiss_enum_ops USING faiss IS 'enum attributes';
CREATE OPERATOR CLASS faiss_uuid_ops DEFAULT FOR TYPE uuid USING faiss AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >;
COMMENT ON OPERATOR CLASS faiss_uuid_ops USING faiss IS 'uuid attributes';
CREATE OPERATOR CLASS faiss_numeric_ops DEFAULT FOR TYPE numeric USING faiss AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >;
COMMENT ON OPERATOR CLASS faiss_numeric_ops USING faiss IS 'numeric attributes';
CREATE OPERATOR CLASS faiss_text_ops DEFAULT FOR TYPE text USING faiss AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >;
COMMENT ON OPERATOR CLASS faiss_text_ops USING faiss IS 'text attributes';
CREATE OPERATOR CLASS faiss_bpchar_ops DEFAULT FOR TYPE bpchar USING faiss AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >;
COMMENT ON OPERATOR CLASS faiss_bpchar_ops USING faiss IS 'character attributes';

CREATE OPERATOR FAMILY faiss_integer_ops USING faiss;
COMMENT ON OPERATOR FAMILY faiss_integer_ops USING faiss IS 'integer attributes of any width';
CREATE OPERATOR CLASS faiss_int2_ops DEFAULT FOR TYPE int2 USING faiss FAMILY faiss_integer_ops AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >;
COMMENT ON OPERATOR CLASS faiss_int2_ops USING faiss IS 'smallint attributes';
CREATE OPERATOR CLASS faiss_int4_ops DEFAULT FOR TYPE int4 USING faiss FAMILY faiss_integer_ops AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >;
COMMENT ON OPERATOR CLASS faiss_int4_ops USING faiss IS 'integer attributes';
CREATE OPERATOR CLASS faiss_int8_ops DEFAULT FOR TYPE int8 USING faiss FAMILY faiss_integer_ops AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >;
COMMENT ON OPERATOR CLASS faiss_int8_ops USING faiss IS 'bigint attributes';
ALTER OPERATOR FAMILY faiss_integer_ops USING faiss ADD
    OPERATOR 1 < (int2, int4), OPERATOR 2 <= (int2, int4), OPERATOR 3 = (int2, int4),
    OPERATOR 4 >= (int2, int4), OPERATOR 5 > (int2, int4),
    OPERATOR 1 < (int2, int8), OPERATOR 2 <= (int2, int8), OPERATOR 3 = (int2, int8),
    OPERATOR 4 >= (int2, int8), OPERATOR 5 > (int2, int8),
    OPERATOR 1 < (int4, int2), OPERATOR 2 <= (int4, int2), OPERATOR 3 = (int4, int2),
    OPERATOR 4 >= (int4, int2), OPERATOR 5 > (int4, int2),
    OPERATOR 1 < (int4, int8), OPERATOR 2 <= (int4, int8), OPERATOR 3 = (int4, int8),
    OPERATOR 4 >= (int4, int8), OPERATOR 5 > (int4, int8),
    OPERATOR 1 < (int8, int2), OPERATOR 2 <= (int8, int2), OPERATOR 3 = (int8, int2),
    OPERATOR 4 >= (int8, int2), OPERATOR 5 > (int8, int2),
    OPERATOR 1 < (int8, int4), OPERATOR 2 <= (int8, int4), OPERATOR 3 = (int8, int4),
    OPERATOR 4 >= (int8, int4), OPERATOR 5 > (int8, int4);

CREATE OPERATOR FAMILY faiss_float_ops USING faiss;
COMMENT ON OPERATOR FAMILY faiss_float_ops USING faiss IS 'floating-point attributes of any width';
CREATE OPERATOR CLASS faiss_float4_ops DEFAULT FOR TYPE float4 USING faiss FAMILY faiss_float_ops AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >;
COMMENT ON OPERATOR CLASS faiss_float4_ops USING faiss IS 'real attributes';
CREATE OPERATOR CLASS faiss_float8_ops DEFAULT FOR TYPE float8 USING faiss FAMILY faiss_float_ops AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >;
COMMENT ON OPERATOR CLASS faiss_float8_ops USING faiss IS 'double precision attributes';
ALTER OPERATOR FAMILY faiss_float_ops USING faiss ADD
    OPERATOR 1 < (float4, float8), OPERATOR 2 <= (float4, float8), OPERATOR 3 = (float4, float8),
    OPERATOR 4 >= (float4, float8), OPERATOR 5 > (float4, float8),
    OPERATOR 1 < (float8, float4), OPERATOR 2 <= (float8, float4), OPERATOR 3 = (float8, float4),
    OPERATOR 4 >= (float8, float4), OPERATOR 5 > (float8, float4);

-- Inspection --------------------------------------------------------------------------------------

-- Each of these checks by itself who calls it: the owner of an index may, and others as documented.
CREATE FUNCTION faiss_index_info(
    index regclass,
    OUT version integer,
    OUT metric text,
    OUT kind text,
    OUT dimensions integer,
    OUT refine text,
    OUT lists integer,
    OUT depth integer,
    OUT built_rows bigint,
    OUT entries bigint,
    OUT dead_entries bigint,
    OUT free_places bigint,
    OUT total_bytes bigint,
    OUT list_bytes bigint,
    OUT code_bytes bigint,
    OUT refine_bytes bigint,
    OUT vector_bytes bigint,
    OUT free_bytes bigint,
    OUT retired_lists integer,
    OUT retired_bytes bigint,
    OUT list_size_min bigint,
    OUT list_size_median bigint,
    OUT list_size_max bigint,
    OUT splits bigint,
    OUT merges bigint,
    OUT split_ms double precision,
    OUT measured_rows bigint,
    OUT measured_lists integer,
    OUT measured_queries integer,
    OUT rebuild_helps boolean,
    OUT rebuild_reason text
) AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION faiss_index_info(regclass) IS 'what a faiss index consists of, and whether a rebuild would help';

CREATE FUNCTION faiss_index_prewarm(index regclass) RETURNS bigint
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION faiss_index_prewarm(regclass) IS 'reads a faiss index into shared buffers; the number of pages';

-- It runs a query on the table, which checks the rights of who calls it.
CREATE FUNCTION faiss_duplicates(
    index regclass,
    radius double precision,
    max_pairs bigint DEFAULT 0,
    OUT a tid,
    OUT b tid,
    OUT distance double precision
) RETURNS SETOF record AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL UNSAFE
    COST 1000000 ROWS 1000;
COMMENT ON FUNCTION faiss_duplicates(regclass, double precision, bigint) IS 'pairs of rows of a faiss index that lie within a radius of each other, at most so many';

-- A unit of COST is about 25 ns. Not in parallel workers, which cannot read temporary indexes.
CREATE FUNCTION faiss_expected_rows(index regclass, distance double precision)
    RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 4;
COMMENT ON FUNCTION faiss_expected_rows(regclass, double precision) IS 'the number of rows that a typical row of a faiss index has within a distance: how unusual that is';

CREATE FUNCTION faiss_index_calibrate(index regclass) RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION faiss_index_calibrate(regclass) IS 'measures anew how many lists hold the nearest rows; the number of queries';

-- It changes settings while it runs.
CREATE FUNCTION faiss_index_recall(
    index regclass,
    sample integer DEFAULT 100,
    INOUT k integer DEFAULT 10,
    OUT queries integer,
    OUT recall double precision,
    OUT recall_min double precision,
    OUT index_ms double precision,
    OUT index_ms_p95 double precision,
    OUT exact_ms double precision
) AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION faiss_index_recall(regclass, integer, integer) IS 'the share of the k nearest rows that searches by a faiss index find now, and how fast';

-- What scans did ----------------------------------------------------------------------------------

CREATE FUNCTION faiss_scan_stats(
    OUT index regclass,
    OUT loops bigint,
    OUT lists integer,
    OUT lists_probed bigint,
    OUT lists_skipped bigint,
    OUT entries_scanned bigint,
    OUT entries_filtered bigint,
    OUT entries_refined bigint,
    OUT rows_emitted bigint,
    OUT stop_reason text,
    OUT duration_ms double precision
) AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION faiss_scan_stats() IS 'what this session''s last scan of a faiss index did';

CREATE FUNCTION faiss_index_totals(
    OUT indexrelid oid,
    OUT scope text,
    OUT scans bigint,
    OUT loops bigint,
    OUT lists_probed bigint,
    OUT lists_skipped bigint,
    OUT entries_scanned bigint,
    OUT entries_filtered bigint,
    OUT entries_refined bigint,
    OUT rows_emitted bigint,
    OUT duration_ms double precision,
    OUT splits bigint,
    OUT merges bigint,
    OUT split_ms double precision
) RETURNS SETOF record AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION faiss_index_totals() IS 'what faiss_index_stats shows, without names';
CREATE VIEW faiss_index_stats AS
    SELECT i.indrelid AS relid, t.indexrelid, n.nspname AS schemaname, r.relname,
           c.relname AS indexrelname, t.scope, t.scans, t.loops, t.lists_probed, t.lists_skipped,
           t.entries_scanned, t.entries_filtered, t.entries_refined, t.rows_emitted, t.duration_ms,
           t.splits, t.merges, t.split_ms
      FROM faiss_index_totals() AS t
           LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.indexrelid
           LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
           LEFT JOIN pg_catalog.pg_class AS r ON r.oid = i.indrelid
           LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.oid IS NOT NULL OR t.indexrelid IS NULL; -- no index that was dropped
COMMENT ON VIEW faiss_index_stats IS 'what the scans of each faiss index of this database did, and how often its lists were split';
GRANT SELECT ON faiss_index_stats TO PUBLIC;

-- As pg_stat_reset.
CREATE FUNCTION faiss_index_stats_reset() RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION faiss_index_stats_reset() IS 'starts faiss_index_stats of this database anew';
REVOKE EXECUTE ON FUNCTION faiss_index_stats_reset() FROM PUBLIC;

-- Bug reports and checks --------------------------------------------------------------------------

-- It starts a process, in a subtransaction.
CREATE FUNCTION lookalike_versions(OUT component text, OUT version text) RETURNS SETOF record
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION lookalike_versions() IS 'what lookalike consists of: for bug reports';

-- Not in a parallel worker: it may lock the table against writers. A standby cannot.
CREATE FUNCTION faiss_index_check(
    index regclass,
    lock_writers boolean DEFAULT NOT pg_catalog.pg_is_in_recovery()
) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION faiss_index_check(regclass, boolean) IS 'checks every page of a faiss index, and every row of the table against its entry';

-- For an index with the default options and the settings of now.
CREATE FUNCTION faiss_index_estimate(
    table_name regclass,
    column_name name,
    VARIADIC filter_columns name[],
    OUT rows bigint,
    OUT lists integer,
    OUT bytes bigint,
    OUT memory_bytes bigint,
    OUT seconds double precision
) AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION faiss_index_estimate(regclass, name, name[]) IS 'what a faiss index of these columns would take to build';
-- A call by the arguments' names finds no variadic function.
CREATE FUNCTION faiss_index_estimate(
    table_name regclass,
    column_name name,
    OUT rows bigint,
    OUT lists integer,
    OUT bytes bigint,
    OUT memory_bytes bigint,
    OUT seconds double precision
) AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION faiss_index_estimate(regclass, name) IS 'what a faiss index of this column alone would take to build';

-- Local features --------------------------------------------------------------------------------

CREATE TYPE local_features;
CREATE FUNCTION local_features_in(cstring) RETURNS local_features
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION local_features_in(cstring) IS 'text input of local_features';
CREATE FUNCTION local_features_out(local_features) RETURNS cstring
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION local_features_out(local_features) IS 'text output of local_features';
CREATE FUNCTION local_features_recv(internal) RETURNS local_features
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION local_features_recv(internal) IS 'binary input of local_features';
CREATE FUNCTION local_features_send(local_features) RETURNS bytea
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION local_features_send(local_features) IS 'binary output of local_features';
-- External: they do not compress.
CREATE TYPE local_features (
    INPUT = local_features_in,
    OUTPUT = local_features_out,
    RECEIVE = local_features_recv,
    SEND = local_features_send,
    ALIGNMENT = int4,
    STORAGE = external
);
COMMENT ON TYPE local_features IS 'a picture''s local features: places with a descriptor each';

CREATE FUNCTION feature_count(features local_features) RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 40;
COMMENT ON FUNCTION feature_count(local_features) IS 'how many local features there are';
CREATE FUNCTION kind(features local_features) RETURNS text
    AS 'MODULE_PATHNAME', 'local_features_kind' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 40;
COMMENT ON FUNCTION kind(local_features) IS 'orb or sift';
CREATE FUNCTION strongest(features local_features, n integer) RETURNS local_features
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 80;
COMMENT ON FUNCTION strongest(local_features, integer) IS 'the n strongest of local features';
CREATE FUNCTION cut(features local_features, part box) RETURNS local_features
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 80;
COMMENT ON FUNCTION cut(local_features, box) IS 'the local features in a part of the picture, in pixels from its upper left corner';
CREATE FUNCTION features(features local_features, OUT x double precision, OUT y double precision,
    OUT scale double precision, OUT angle double precision, OUT strength double precision,
    OUT descriptor descriptor) RETURNS SETOF record
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 400 ROWS 150;
COMMENT ON FUNCTION features(local_features) IS 'the local features one by one, strongest first: pixels, degrees, response of the detector';

CREATE FUNCTION local_features_eq(local_features, local_features) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 40;
COMMENT ON FUNCTION local_features_eq(local_features, local_features) IS 'implementation of = operator';
CREATE FUNCTION local_features_ne(local_features, local_features) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 40;
COMMENT ON FUNCTION local_features_ne(local_features, local_features) IS 'implementation of <> operator';
CREATE FUNCTION local_features_hash(local_features) RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 40;
COMMENT ON FUNCTION local_features_hash(local_features) IS 'hash';
CREATE FUNCTION local_features_hash_extended(local_features, bigint) RETURNS bigint
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 40;
COMMENT ON FUNCTION local_features_hash_extended(local_features, bigint) IS 'hash';
CREATE OPERATOR = (
    LEFTARG = local_features, RIGHTARG = local_features, FUNCTION = local_features_eq,
    COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (local_features, local_features) IS 'the same features';
CREATE OPERATOR <> (
    LEFTARG = local_features, RIGHTARG = local_features, FUNCTION = local_features_ne,
    COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (local_features, local_features) IS 'not the same features';
CREATE OPERATOR CLASS local_features_hash_ops DEFAULT FOR TYPE local_features USING hash AS
    OPERATOR 1 =,
    FUNCTION 1 local_features_hash(local_features),
    FUNCTION 2 local_features_hash_extended(local_features, bigint);
COMMENT ON OPERATOR CLASS local_features_hash_ops USING hash IS 'equality of local features';

-- 150 features against 600 take 30 us, and fetching them from TOAST some more.
CREATE FUNCTION local_distance(a local_features, b local_features) RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1600;
COMMENT ON FUNCTION local_distance(local_features, local_features) IS '0: the same picture, 1: nothing of one is in the other';
CREATE OPERATOR <-> (
    LEFTARG = local_features, RIGHTARG = local_features, FUNCTION = local_distance,
    COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (local_features, local_features) IS '0: the same picture, 1: nothing of one is in the other';
CREATE FUNCTION within(a local_features, b local_features, radius double precision) RETURNS boolean
    AS 'MODULE_PATHNAME', 'local_features_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT within_support COST 1600;
COMMENT ON FUNCTION within(local_features, local_features, double precision) IS 'a <-> b <= radius: up to 0.7 the two show the same thing; served by a faiss index';
CREATE FUNCTION match_local_features(a local_features, b local_features, OUT matches integer,
    OUT inliers integer, OUT score double precision, OUT transform double precision[],
    OUT place polygon, OUT mirrored boolean)
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1600;
COMMENT ON FUNCTION match_local_features(local_features, local_features) IS 'how much of one picture is in the other, and where b lies in a';

CREATE TYPE local_features_sphere AS (center local_features, radius double precision);
COMMENT ON TYPE local_features_sphere IS 'all pictures within a radius of one';
CREATE FUNCTION local_features_sphere(center local_features, radius double precision)
    RETURNS local_features_sphere
    AS 'MODULE_PATHNAME', 'make_sphere' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION local_features_sphere(local_features, double precision) IS 'all pictures within a radius of one';
CREATE FUNCTION in_local_features_sphere(local_features, local_features_sphere) RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1600;
COMMENT ON FUNCTION in_local_features_sphere(local_features, local_features_sphere) IS 'distance to the centre at most the radius';
CREATE OPERATOR <@-> (
    LEFTARG = local_features, RIGHTARG = local_features_sphere,
    FUNCTION = in_local_features_sphere, RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR <@-> (local_features, local_features_sphere) IS 'distance to the centre at most the radius';
CREATE FUNCTION faiss_local_features_class() RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION faiss_local_features_class() IS 'tells an index that it is one of local_features_ops';
CREATE OPERATOR CLASS local_features_ops DEFAULT FOR TYPE local_features USING faiss AS
    OPERATOR 1 <-> (local_features, local_features) FOR ORDER BY float_ops,
    OPERATOR 2 <@-> (local_features, local_features_sphere),
    FUNCTION 1 faiss_local_features_class();
COMMENT ON OPERATOR CLASS local_features_ops USING faiss IS '<-> and within(): pictures that show the same';

-- Images ------------------------------------------------------------------------------------------

-- A unit of COST is about 25 ns, as an operator call takes; a photo takes 1 to 3 ms.
CREATE FUNCTION image_features(image bytea, extractor text DEFAULT 'color+pattern') RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50000;
COMMENT ON FUNCTION image_features(bytea, text) IS 'the descriptor of an image';
CREATE FUNCTION image_features_or_null(image bytea, extractor text DEFAULT 'color+pattern')
    RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50000;
COMMENT ON FUNCTION image_features_or_null(bytea, text) IS 'the descriptor of an image, NULL for one that cannot be used';
CREATE FUNCTION image_features_batch(images bytea[], extractor text DEFAULT 'color+pattern')
    RETURNS SETOF descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000000 ROWS 32;
COMMENT ON FUNCTION image_features_batch(bytea[], text) IS 'descriptors of many images, in their order';
CREATE FUNCTION image_features_file(path text, extractor text DEFAULT 'color+pattern')
    RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL SAFE COST 50000;
COMMENT ON FUNCTION image_features_file(text, text) IS 'the descriptor of an image file of the server';
-- As pg_read_binary_file, whose checks of the path apply.
REVOKE EXECUTE ON FUNCTION image_features_file(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION image_features_file(text, text) TO pg_read_server_files;

-- Unlike those of a generated column, its results are dumped as data.
CREATE FUNCTION image_features_trigger() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C COST 50000;
COMMENT ON FUNCTION image_features_trigger() IS 'trigger(photo column, features column, extractor [, ''error'' or ''null'']): keeps the features of a photo';

-- A unit of COST is about 25 ns; ORB takes some 10 ms of a photo.
CREATE FUNCTION image_local_features(image bytea, kind text DEFAULT 'orb',
    max_features integer DEFAULT 150, mirrored boolean DEFAULT false) RETURNS local_features
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 400000;
COMMENT ON FUNCTION image_local_features(bytea, text, integer, boolean) IS 'the local features of an image';
CREATE FUNCTION image_local_features_or_null(image bytea, kind text DEFAULT 'orb',
    max_features integer DEFAULT 150, mirrored boolean DEFAULT false) RETURNS local_features
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 400000;
COMMENT ON FUNCTION image_local_features_or_null(bytea, text, integer, boolean) IS 'the local features of an image, NULL for one that cannot be used';
CREATE FUNCTION image_local_features_batch(images bytea[], kind text DEFAULT 'orb',
    max_features integer DEFAULT 150, mirrored boolean DEFAULT false) RETURNS SETOF local_features
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 8000000 ROWS 32;
COMMENT ON FUNCTION image_local_features_batch(bytea[], text, integer, boolean) IS 'local features of many images, in their order';
CREATE FUNCTION image_local_features_file(path text, kind text DEFAULT 'orb',
    max_features integer DEFAULT 150, mirrored boolean DEFAULT false) RETURNS local_features
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL SAFE COST 400000;
COMMENT ON FUNCTION image_local_features_file(text, text, integer, boolean) IS 'the local features of an image file of the server';
REVOKE EXECUTE ON FUNCTION image_local_features_file(text, text, integer, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION image_local_features_file(text, text, integer, boolean) TO pg_read_server_files;
CREATE FUNCTION image_local_features_trigger() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C COST 400000;
COMMENT ON FUNCTION image_local_features_trigger() IS 'trigger(photo column, features column, kind, max_features [, ''error'' or ''null'']): keeps the local features of a photo';

CREATE FUNCTION image_draw_matches(a bytea, b bytea, kind text DEFAULT 'orb',
    max_features integer DEFAULT 600, size integer DEFAULT 480) RETURNS bytea
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2000000;
COMMENT ON FUNCTION image_draw_matches(bytea, bytea, text, integer, integer) IS 'a JPEG of both images, with lines between the spots that they share and an outline where b lies in a';

CREATE FUNCTION image_info(image bytea, OUT format text, OUT width integer, OUT height integer,
    OUT channels integer, OUT orientation integer)
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION image_info(bytea) IS 'what an image''s header says';
CREATE FUNCTION image_thumbnail(image bytea, size integer) RETURNS bytea
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50000;
COMMENT ON FUNCTION image_thumbnail(bytea, integer) IS 'a small JPEG or PNG, size pixels on its longer side at most';

CREATE FUNCTION image_worker_stats(OUT worker_pid integer, OUT worker_starts bigint,
    OUT last_start_ms double precision, OUT requests bigint, OUT refused_images bigint,
    OUT failures bigint, OUT models_loaded bigint, OUT model_load_ms double precision,
    OUT warm boolean, OUT models_preloaded bigint, OUT turn_wait_ms double precision,
    OUT cache_hits bigint, OUT cache_misses bigint, OUT cache_entries bigint,
    OUT cache_bytes bigint, OUT networks text)
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION image_worker_stats() IS 'this session''s worker process and cache';

-- What is made once and kept by name and version: networks and whatever else functions take that are
-- IMMUTABLE. The columns are read by number.
CREATE TABLE lookalike_models (
    kind text NOT NULL CHECK (kind ~ '^[a-z_]{1,31}$'),
    name text NOT NULL CHECK (name ~ '^[a-z0-9_-]{1,63}$'),
    version integer NOT NULL CHECK (version > 0),
    data bytea NOT NULL,
    options jsonb NOT NULL CHECK (jsonb_typeof(options) = 'object'),
    dims integer NOT NULL CHECK (dims > 0),
    digest bytea NOT NULL GENERATED ALWAYS AS (pg_catalog.sha256(data)) STORED,
    PRIMARY KEY (kind, name, version)
);
ALTER TABLE lookalike_models ALTER COLUMN data SET STORAGE EXTERNAL;
COMMENT ON TABLE lookalike_models IS 'networks and other things that functions name by name and version';
SELECT pg_catalog.pg_extension_config_dump('lookalike_models', '');
-- Everybody may see what there is; the data themselves are for the owners of the extension and of
-- the database, who dumps and restores it.
GRANT SELECT (kind, name, version, options, dims, digest) ON lookalike_models TO PUBLIC;
GRANT SELECT, INSERT, DELETE ON lookalike_models TO pg_database_owner;

CREATE FUNCTION lookalike_models_changed() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION lookalike_models_changed() IS 'tells sessions that something was registered, changed or dropped';
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lookalike_models
    FOR EACH STATEMENT EXECUTE FUNCTION lookalike_models_changed();
CREATE FUNCTION lookalike_models_kept() RETURNS trigger
    AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION lookalike_models_kept() IS 'refuses to drop what an index, a column, a constraint, a trigger or a view uses';
CREATE TRIGGER kept BEFORE DELETE OR UPDATE OF kind, name, version ON lookalike_models
    FOR EACH ROW EXECUTE FUNCTION lookalike_models_kept();

-- Networks for net:<name>@<version>.
CREATE FUNCTION check_image_model(name text, version integer, onnx bytea, input_width integer,
    input_height integer, mean real[], std real[], layer text, normalized boolean, bgr boolean,
    crop boolean)
    RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION check_image_model(text, integer, bytea, integer, integer, real[], real[], text, boolean, boolean, boolean) IS 'loads a network; returns the dimensions of its descriptors';
CREATE FUNCTION register_image_model(name text, version integer, onnx bytea,
    input_width integer DEFAULT 224, input_height integer DEFAULT 224,
    mean real[] DEFAULT '{123.675,116.28,103.53}', std real[] DEFAULT '{58.395,57.12,57.375}',
    layer text DEFAULT '', normalized boolean DEFAULT true, bgr boolean DEFAULT false,
    crop boolean DEFAULT false)
    RETURNS integer LANGUAGE SQL VOLATILE PARALLEL UNSAFE
    SET extra_float_digits = 1  -- options hold every digit
BEGIN ATOMIC
    INSERT INTO lookalike_models (kind, name, version, data, options, dims)
    VALUES ('network', register_image_model.name, register_image_model.version,
            register_image_model.onnx,
            jsonb_build_object('input_width', register_image_model.input_width,
                               'input_height', register_image_model.input_height,
                               'mean', register_image_model.mean,
                               'std', register_image_model.std,
                               'layer', register_image_model.layer,
                               'normalized', register_image_model.normalized,
                               'bgr', register_image_model.bgr,
                               'crop', register_image_model.crop),
            check_image_model(register_image_model.name, register_image_model.version,
                              register_image_model.onnx, register_image_model.input_width,
                              register_image_model.input_height, register_image_model.mean,
                              register_image_model.std, register_image_model.layer,
                              register_image_model.normalized, register_image_model.bgr,
                              register_image_model.crop))
    RETURNING dims;
END;
COMMENT ON FUNCTION register_image_model(text, integer, bytea, integer, integer, real[], real[], text, boolean, boolean, boolean) IS 'keeps an ONNX network as net:<name>@<version>; returns the dimensions of its descriptors';
CREATE FUNCTION drop_image_model(name text, version integer) RETURNS boolean
    LANGUAGE SQL VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
    WITH gone AS (
        DELETE FROM lookalike_models AS m
         WHERE m.kind = 'network' AND m.name = drop_image_model.name
           AND m.version = drop_image_model.version
        RETURNING 1
    )
    SELECT EXISTS (SELECT FROM gone);
END;
COMMENT ON FUNCTION drop_image_model(text, integer) IS 'forgets a network; tells whether there was one';
CREATE FUNCTION image_model_preload(name text, version integer) RETURNS double precision
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION image_model_preload(text, integer) IS 'loads a registered network into the memory that image workers start with; returns the milliseconds that it took';
-- Who may change the table may load a network into a worker; memory that all sessions share is the
-- choice of the extension's owner.
REVOKE EXECUTE ON FUNCTION
    check_image_model(text, integer, bytea, integer, integer, real[], real[], text, boolean, boolean, boolean),
    register_image_model(text, integer, bytea, integer, integer, real[], real[], text, boolean, boolean, boolean),
    drop_image_model(text, integer), image_model_preload(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    check_image_model(text, integer, bytea, integer, integer, real[], real[], text, boolean, boolean, boolean),
    register_image_model(text, integer, bytea, integer, integer, real[], real[], text, boolean, boolean, boolean),
    drop_image_model(text, integer) TO pg_database_owner;

-- Projections: linear maps that are learned from marks.
CREATE FUNCTION train_projection(name text, version integer, query text, dims integer DEFAULT NULL,
    whiten boolean DEFAULT false)
    RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION train_projection(text, integer, text, integer, boolean) IS 'learns a projection from the rows of a query and keeps it as name@version; returns the dimensions of what it gives, NULL where nothing was learned';
CREATE FUNCTION drop_projection(name text, version integer) RETURNS boolean
    LANGUAGE SQL VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
    WITH gone AS (
        DELETE FROM lookalike_models AS m
         WHERE m.kind = 'projection' AND m.name = drop_projection.name
           AND m.version = drop_projection.version
        RETURNING 1
    )
    SELECT EXISTS (SELECT FROM gone);
END;
COMMENT ON FUNCTION drop_projection(text, integer) IS 'forgets a projection; tells whether there was one';
-- A projection of 559 dimensions to 64 takes some 5 us.
CREATE FUNCTION project(features descriptor, projection text) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION project(descriptor, text) IS 'features by the projection name@version';
REVOKE EXECUTE ON FUNCTION train_projection(text, integer, text, integer, boolean), drop_projection(text, integer)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION train_projection(text, integer, text, integer, boolean), drop_projection(text, integer)
    TO pg_database_owner;

-- Codebooks: the words that local features are told by, for vlad:<name>@<version> and the like.
CREATE FUNCTION train_codebook(name text, version integer, query text, words integer DEFAULT 64,
    kind text DEFAULT 'fisher', features text DEFAULT 'sift', dimensions integer DEFAULT 64,
    max_features integer DEFAULT 300, whiten boolean DEFAULT false)
    RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION train_codebook(text, integer, text, integer, text, text, integer, integer, boolean) IS 'learns a codebook from the pictures of a query and keeps it as <kind>:<name>@<version>; returns the dimensions of its descriptors';
CREATE FUNCTION drop_codebook(name text, version integer) RETURNS boolean
    LANGUAGE SQL VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
    WITH gone AS (
        DELETE FROM lookalike_models AS m
         WHERE m.kind = 'codebook' AND m.name = drop_codebook.name
           AND m.version = drop_codebook.version
        RETURNING 1
    )
    SELECT EXISTS (SELECT FROM gone);
END;
COMMENT ON FUNCTION drop_codebook(text, integer) IS 'forgets a codebook; tells whether there was one';
CREATE FUNCTION codebook_features(features local_features, codebook text) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50000;
COMMENT ON FUNCTION codebook_features(local_features, text) IS 'the descriptor of local features by the codebook name@version';
REVOKE EXECUTE ON FUNCTION
    train_codebook(text, integer, text, integer, text, text, integer, integer, boolean),
    drop_codebook(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    train_codebook(text, integer, text, integer, text, text, integer, integer, boolean),
    drop_codebook(text, integer) TO pg_database_owner;

-- Networks for texts. The data are the network and behind it the tokenizer's file.
CREATE FUNCTION check_text_model(name text, version integer, files bytea, tokenizer_bytes integer,
    tokenizer_kind text, context integer, lower_case boolean, pooling text, layer text,
    normalized boolean)
    RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION check_text_model(text, integer, bytea, integer, text, integer, boolean, text, text, boolean) IS 'loads a network for texts; returns the dimensions of its descriptors';
CREATE FUNCTION register_text_model(name text, version integer, onnx bytea, tokenizer bytea,
    tokenizer_kind text DEFAULT 'clip', context integer DEFAULT 77,
    lower_case boolean DEFAULT true, pooling text DEFAULT 'end', layer text DEFAULT '',
    normalized boolean DEFAULT true)
    RETURNS integer LANGUAGE SQL VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
    INSERT INTO lookalike_models (kind, name, version, data, options, dims)
    SELECT 'text', register_text_model.name, register_text_model.version, files,
            jsonb_build_object('tokenizer', register_text_model.tokenizer_kind,
                               'tokenizer_bytes', octet_length(register_text_model.tokenizer),
                               'context', register_text_model.context,
                               'lower_case', register_text_model.lower_case,
                               'pooling', register_text_model.pooling,
                               'layer', register_text_model.layer,
                               'normalized', register_text_model.normalized),
            check_text_model(register_text_model.name, register_text_model.version, files,
                             octet_length(register_text_model.tokenizer),
                             register_text_model.tokenizer_kind, register_text_model.context,
                             register_text_model.lower_case, register_text_model.pooling,
                             register_text_model.layer, register_text_model.normalized)
      -- Joined once, although it is used twice.
      FROM (SELECT register_text_model.onnx || register_text_model.tokenizer AS files OFFSET 0) AS f
    RETURNING dims;
END;
COMMENT ON FUNCTION register_text_model(text, integer, bytea, bytea, text, integer, boolean, text, text, boolean) IS 'keeps a network for texts and its tokenizer as net:<name>@<version>; returns the dimensions of its descriptors';
CREATE FUNCTION drop_text_model(name text, version integer) RETURNS boolean
    LANGUAGE SQL VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
    WITH gone AS (
        DELETE FROM lookalike_models AS m
         WHERE m.kind = 'text' AND m.name = drop_text_model.name
           AND m.version = drop_text_model.version
        RETURNING 1
    )
    SELECT EXISTS (SELECT FROM gone);
END;
COMMENT ON FUNCTION drop_text_model(text, integer) IS 'forgets a network for texts; tells whether there was one';
REVOKE EXECUTE ON FUNCTION
    check_text_model(text, integer, bytea, integer, text, integer, boolean, text, text, boolean),
    register_text_model(text, integer, bytea, bytea, text, integer, boolean, text, text, boolean),
    drop_text_model(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    check_text_model(text, integer, bytea, integer, text, integer, boolean, text, text, boolean),
    register_text_model(text, integer, bytea, bytea, text, integer, boolean, text, text, boolean),
    drop_text_model(text, integer) TO pg_database_owner;

-- A unit of COST is about 25 ns; a text takes 4 to 100 ms.
CREATE FUNCTION text_features(input text, network text) RETURNS descriptor
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 400000;
COMMENT ON FUNCTION text_features(text, text) IS 'the descriptor of a text, by a network such as net:clip@1';

CREATE FUNCTION builtin_image_extractors(OUT name text, OUT version integer, OUT dimensions integer,
    OUT kind text, OUT metric text, OUT description text) RETURNS SETOF record
    AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100 ROWS 4;
COMMENT ON FUNCTION builtin_image_extractors() IS 'the extractors that need no registered network';
CREATE FUNCTION image_extractors(OUT name text, OUT version integer, OUT dimensions integer,
    OUT kind text, OUT metric text, OUT description text) RETURNS SETOF record
    LANGUAGE SQL STABLE STRICT PARALLEL SAFE ROWS 10
BEGIN ATOMIC
    SELECT b.name, b.version, b.dimensions, b.kind, b.metric, b.description
      FROM builtin_image_extractors() AS b
    UNION ALL
    SELECT 'net:' || m.name, m.version, m.dims, 'real', 'cosine', 'a registered network'
      FROM lookalike_models AS m
     WHERE m.kind = 'network'
    UNION ALL
    SELECT (m.options->>'kind') || ':' || m.name, m.version, m.dims, 'real', 'l2',
           'a registered codebook'
      FROM lookalike_models AS m
     WHERE m.kind = 'codebook';
END;
COMMENT ON FUNCTION image_extractors() IS 'the extractors that image_features() knows';
