#include "inspect/null_fraction.h"

extern "C" {
#include "catalog/pg_statistic.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

namespace lookalike {

double null_fraction(Relation relation, AttrNumber column) {
    HeapTuple tuple = SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(RelationGetRelid(relation)),
                                      Int16GetDatum(column), BoolGetDatum(false));
    if (!HeapTupleIsValid(tuple)) return 0;
    const double fraction = reinterpret_cast<Form_pg_statistic>(GETSTRUCT(tuple))->stanullfrac;
    ReleaseSysCache(tuple);
    return fraction;
}

}  // namespace lookalike
