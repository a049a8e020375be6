// The distance functions behind the operators, and the similarities in [0,1] that people show.
#include "pg/type/kept_argument.h"

#include "core/vector/distance.h"

namespace lookalike {
namespace {

struct Pair {
    DescriptorView a;
    DescriptorView b;
};

Pair pair_arguments(FunctionCallInfo fcinfo) {
    return {kept_argument(fcinfo, 0)->view(), kept_argument(fcinfo, 1)->view()};
}

Pair numeric_pair(FunctionCallInfo fcinfo, const char* what) {
    const Pair pair = pair_arguments(fcinfo);
    if (pair.a.kind == Kind::kBit || pair.b.kind == Kind::kBit) {
        ereport(ERROR,
                (errcode(ERRCODE_DATATYPE_MISMATCH),
                 errmsg("%s is not defined for bit descriptors", what),
                 errhint("Bit descriptors have the distances <~> (Hamming) and <%%> (Jaccard).")));
    }
    check_same_dims(pair.a, pair.b);
    return pair;
}

Pair bit_pair(FunctionCallInfo fcinfo, const char* what) {
    const Pair pair = pair_arguments(fcinfo);
    check_bit(pair.a, what);
    check_bit(pair.b, what);
    check_same_dims(pair.a, pair.b);
    return pair;
}

}  // namespace
}  // namespace lookalike

using lookalike::bit_pair;
using lookalike::numeric_pair;
using lookalike::Pair;

SQL_FUNCTION(l2_distance) {
    const Pair pair = numeric_pair(fcinfo, "L2 distance");
    PG_RETURN_FLOAT8(lookalike::l2_distance(pair.a, pair.b));
}

SQL_FUNCTION(l2_squared_distance) {
    const Pair pair = numeric_pair(fcinfo, "L2 distance");
    PG_RETURN_FLOAT8(lookalike::l2_squared_distance(pair.a, pair.b));
}

SQL_FUNCTION(inner_product) {
    const Pair pair = numeric_pair(fcinfo, "inner product");
    PG_RETURN_FLOAT8(lookalike::inner_product(pair.a, pair.b));
}

SQL_FUNCTION(negative_inner_product) {
    const Pair pair = numeric_pair(fcinfo, "inner product");
    // Not -0 for orthogonal vectors.
    PG_RETURN_FLOAT8(0.0 - lookalike::inner_product(pair.a, pair.b));
}

SQL_FUNCTION(cosine_distance) {
    const Pair pair = numeric_pair(fcinfo, "cosine distance");
    PG_RETURN_FLOAT8(lookalike::cosine_distance(pair.a, pair.b));
}

SQL_FUNCTION(l1_distance) {
    const Pair pair = numeric_pair(fcinfo, "L1 distance");
    PG_RETURN_FLOAT8(lookalike::l1_distance(pair.a, pair.b));
}

SQL_FUNCTION(hamming_distance) {
    const Pair pair = bit_pair(fcinfo, "Hamming distance");
    PG_RETURN_FLOAT8(lookalike::hamming_distance(pair.a, pair.b));
}

SQL_FUNCTION(jaccard_distance) {
    const Pair pair = bit_pair(fcinfo, "Jaccard distance");
    PG_RETURN_FLOAT8(lookalike::jaccard_distance(pair.a, pair.b));
}

SQL_FUNCTION(l2_similarity) {
    const Pair pair = numeric_pair(fcinfo, "L2 similarity");
    PG_RETURN_FLOAT8(1.0 / (1.0 + lookalike::l2_distance(pair.a, pair.b)));
}

SQL_FUNCTION(cosine_similarity) {
    const Pair pair = numeric_pair(fcinfo, "cosine similarity");
    PG_RETURN_FLOAT8(1.0 - lookalike::cosine_distance(pair.a, pair.b) / 2.0);
}

SQL_FUNCTION(hamming_similarity) {
    const Pair pair = bit_pair(fcinfo, "Hamming similarity");
    PG_RETURN_FLOAT8(1.0 - lookalike::hamming_distance(pair.a, pair.b) / pair.a.dims);
}
