// amvalidate: is an operator class fit for this access method?
#include "am/access_method.h"

extern "C" {
#include "access/amvalidate.h"
#include "access/htup_details.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_opfamily.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
}

#include "am/filter/attribute_key.h"

namespace lookalike {
namespace {

// Says what is wrong and returns false, as the other access methods do.
bool complain(const char* family, const char* what) {
    ereport(INFO, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                   errmsg("operator family \"%s\" of access method %s %s", family, "faiss", what)));
    return false;
}

char* family_name(Oid family) {
    HeapTuple tuple = SearchSysCache1(OPFAMILYOID, ObjectIdGetDatum(family));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for operator family %u", family);
    char* name = pstrdup(NameStr(reinterpret_cast<Form_pg_opfamily>(GETSTRUCT(tuple))->opfname));
    ReleaseSysCache(tuple);
    return name;
}

bool check_procedures(CatCList* procedures, const char* family) {
    bool valid = true;
    for (int i = 0; i < procedures->n_members; ++i) {
        auto* form = reinterpret_cast<Form_pg_amproc>(GETSTRUCT(&procedures->members[i]->tuple));
        if (form->amprocnum != kMetricProcedure) {
            valid = complain(family, "contains a function with an invalid support number");
        } else if (!check_amproc_signature(form->amproc, INT4OID, true, 0, 0)) {
            valid = complain(family, "contains a function with the wrong signature");
        }
    }
    return valid;
}

bool check_attribute_operators(CatCList* operators, const char* family) {
    bool valid = true;
    for (int i = 0; i < operators->n_members; ++i) {
        auto* form = reinterpret_cast<Form_pg_amop>(GETSTRUCT(&operators->members[i]->tuple));
        if (form->amopstrategy < 1 || form->amopstrategy > kAttributeStrategies) {
            valid = complain(family, "contains an operator with an invalid strategy number");
        } else if (form->amoppurpose != AMOP_SEARCH) {
            valid = complain(family, "contains an operator that is not FOR SEARCH");
        } else if (!check_amop_signature(form->amopopr, BOOLOID, form->amoplefttype,
                                         form->amoprighttype)) {
            valid = complain(family, "contains an operator with the wrong signature");
        }
    }
    return valid;
}

bool check_descriptor_operators(CatCList* operators, const char* family) {
    bool valid = true;
    bool has_distance = false;
    for (int i = 0; i < operators->n_members; ++i) {
        auto* form = reinterpret_cast<Form_pg_amop>(GETSTRUCT(&operators->members[i]->tuple));
        const bool is_distance = form->amopstrategy == kDistanceStrategy;
        has_distance = has_distance || is_distance;
        if (!is_distance && form->amopstrategy != kSphereStrategy) {
            valid = complain(family, "contains an operator with an invalid strategy number");
        } else if (is_distance && form->amoppurpose != AMOP_ORDER) {
            valid = complain(family, "contains an operator that is not FOR ORDER BY");
        } else if (!is_distance && form->amoppurpose != AMOP_SEARCH) {
            valid = complain(family, "contains an operator that is not FOR SEARCH");
        } else if (!check_amop_signature(form->amopopr, is_distance ? FLOAT8OID : BOOLOID,
                                         form->amoplefttype, form->amoprighttype)) {
            valid = complain(family, "contains an operator with the wrong signature");
        }
    }
    if (!has_distance && operators->n_members > 0)
        valid = complain(family, "lacks its distance operator");
    return valid;
}

}  // namespace

bool validate_operator_class(Oid operator_class) {
    HeapTuple class_tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(operator_class));
    if (!HeapTupleIsValid(class_tuple)) {
        elog(ERROR, "cache lookup failed for operator class %u", operator_class);
    }
    const Oid family_id = reinterpret_cast<Form_pg_opclass>(GETSTRUCT(class_tuple))->opcfamily;
    const Oid input_type = reinterpret_cast<Form_pg_opclass>(GETSTRUCT(class_tuple))->opcintype;
    ReleaseSysCache(class_tuple);
    char* family = family_name(family_id);
    CatCList* operators = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(family_id));
    CatCList* procedures = SearchSysCacheList1(AMPROCNUM, ObjectIdGetDatum(family_id));
    bool valid = check_procedures(procedures, family);
    const bool is_attribute = key_kind(input_type) != KeyKind::kNone;
    valid = (is_attribute ? check_attribute_operators(operators, family)
                          : check_descriptor_operators(operators, family)) &&
            valid;
    if (!is_attribute && procedures->n_members == 0) {
        valid = complain(family, "lacks the function that names its metric");
    }
    if (operators->n_members == 0) valid = complain(family, "lacks its operators");
    ReleaseCatCacheList(procedures);
    ReleaseCatCacheList(operators);
    return valid;
}

}  // namespace lookalike
