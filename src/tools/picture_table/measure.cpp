#include "tools/picture_table/measure.h"

#include <algorithm>

#include "tools/picture_table/extractor_call.h"
#include "tools/pqxx_versions.h"

namespace lookalike {
namespace {

constexpr const char* kComment = "image_features by ";

// Descriptors and local features, by name of type. The first faiss index of a column counts that is
// whole and starts with it; its operator is that of its operator class.
constexpr const char* kColumns = R"sql(
SELECT a.attname, t.typname, format_type(a.atttypid, a.atttypmod),
       pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum),
       i.indexrelid::regclass::text, i.operator_name, i.filters
  FROM pg_attribute a
  JOIN pg_type t ON t.oid = a.atttypid
  JOIN pg_depend e ON e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e'
  JOIN pg_extension x ON x.oid = e.refobjid AND x.extname = 'lookalike'
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated <> ''
  LEFT JOIN LATERAL (
       SELECT i.indexrelid, o.oprname AS operator_name,
              (SELECT string_agg(f.attname, E'\x01' ORDER BY k.place)
                 FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
                 JOIN pg_attribute f ON f.attrelid = i.indrelid AND f.attnum = k.number
                WHERE k.place > 1) AS filters
         FROM pg_index i
         JOIN pg_class c ON c.oid = i.indexrelid
         JOIN pg_am m ON m.oid = c.relam AND m.amname = 'faiss'
         JOIN pg_opclass p ON p.oid = i.indclass[0]
         JOIN pg_amop n ON n.amopfamily = p.opcfamily AND n.amoppurpose = 'o'
         JOIN pg_operator o ON o.oid = n.amopopr
        WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum AND i.indisvalid
          AND i.indpred IS NULL
        ORDER BY i.indexrelid LIMIT 1) AS i ON true
 WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
   AND t.typname IN ('descriptor', 'local_features')
 ORDER BY i.indexrelid IS NULL, a.attnum)sql";

// Arguments of image_features_trigger() and image_local_features_trigger(): photo, column,
// extractor.
constexpr const char* kTriggers = R"sql(
SELECT words[1], words[2], words[3]
  FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid,
       LATERAL string_to_array(encode(t.tgargs, 'escape'), '\000') AS words
 WHERE t.tgrelid = $1::oid AND p.proname IN ('image_features_trigger', 'image_local_features_trigger'))sql";

std::string within_of(const std::string& operator_name) {
    if (operator_name == "<->") return "within";
    if (operator_name == "<#>") return "within_ip";
    if (operator_name == "<=>") return "within_cosine";
    if (operator_name == "<~>") return "within_hamming";
    if (operator_name == "<%>") return "within_jaccard";
    return "";
}

std::vector<std::string> parts(const std::string& joined) {
    std::vector<std::string> words;
    for (size_t begin = 0; begin < joined.size();) {
        const size_t end = std::min(joined.find('\1', begin), joined.size());
        words.push_back(joined.substr(begin, end - begin));
        begin = end + 1;
    }
    return words;
}

std::string metric_of(pqxx::transaction_base& work, const std::string& extractor) {
    const auto rows = exec_with(
        work, "SELECT metric FROM image_extractors() WHERE $1 IN (name, name || '@' || version)",
        {extractor});
    return rows.empty() || rows[0][0].is_null() ? "" : rows[0][0].as<std::string>();
}

// Without an index the extractor tells, and at last the kind of the column.
void choose_operator(pqxx::transaction_base& work, Measure& measure) {
    if (measure.operator_name.empty()) {
        const std::string metric = measure.is_local ? "" : metric_of(work, measure.extractor);
        measure.operator_name = metric == "hamming" || measure.is_bits ? "<~>"
                                : metric == "cosine"                   ? "<=>"
                                                                       : "<->";
    }
    measure.is_bits = measure.operator_name == "<~>" || measure.operator_name == "<%>";
    measure.within = within_of(measure.operator_name);
}

bool has_text_network(pqxx::transaction_base& work, const std::string& extractor) {
    return !exec_with(work,
                      "SELECT FROM lookalike_models WHERE kind = 'text' AND $1 = 'net:' || name || "
                      "'@' || version",
                      {extractor})
                .empty();
}

}  // namespace

std::vector<Measure> measures_of(pqxx::transaction_base& work, const std::string& oid) {
    std::vector<Measure> measures;
    const auto triggers = exec_with(work, kTriggers, {oid});
    for (const auto& row : exec_with(work, kColumns, {oid})) {
        Measure measure;
        measure.column = row[0].as<std::string>();
        measure.is_local = row[1].as<std::string>() == "local_features";
        measure.is_bits = row[2].as<std::string>().find("bit") != std::string::npos;
        const std::string comment = row[4].is_null() ? "" : row[4].as<std::string>();
        if (comment.starts_with(kComment)) measure.extractor = comment.substr(18);
        if (!row[3].is_null()) {
            const auto call = extractor_call(row[3].as<std::string>());
            measure.photo = call.photo;
            measure.extractor = call.extractor;
        }
        for (const auto& trigger : triggers)
            if (!trigger[1].is_null() && trigger[1].as<std::string>() == measure.column) {
                measure.photo = trigger[0].as<std::string>();
                measure.extractor = trigger[2].is_null() || trigger[2].as<std::string>().empty()
                                        ? (measure.is_local ? "orb" : "color+pattern")
                                        : trigger[2].as<std::string>();
            }
        if (measure.is_local && measure.extractor.empty()) measure.extractor = "orb";
        if (!row[5].is_null()) {
            measure.index = row[5].as<std::string>();
            measure.operator_name = row[6].as<std::string>();
            if (!row[7].is_null()) measure.filters = parts(row[7].as<std::string>());
        }
        choose_operator(work, measure);
        measure.takes_text = !measure.is_local && has_text_network(work, measure.extractor);
        measures.push_back(std::move(measure));
    }
    return measures;
}

}  // namespace lookalike
