// What a page has to know of the table before it asks for anything.
#include "tools/gallery/gallery.h"
#include "tools/json_text.h"

namespace lookalike {
namespace {

// Where "the same picture" ends, as docs/RECIPES.md measured it.
double usual_radius(const Measure& measure) {
    if (measure.is_local) return 0.7;
    if (measure.is_bits) return 4;
    if (measure.operator_name == "<=>") return 0.05;
    return measure.extractor == "color" ? 0.05 : 0.2;
}

const char* flag(bool value) {
    return value ? "true" : "false";
}

std::string measure_json(const Gallery& gallery, const Measure& measure) {
    const bool has_pairs =
        !measure.index.empty() && !measure.is_local && gallery.table.has_row_version;
    return "{\"column\":" + json_text(measure.column) +
           ",\"extractor\":" + json_text(measure.extractor) +
           ",\"picture\":" + flag(!measure.extractor.empty()) +
           ",\"text\":" + flag(measure.takes_text) + ",\"local\":" + flag(measure.is_local) +
           ",\"whole\":" + flag(measure.is_bits) +
           ",\"marks\":" + flag(!measure.is_bits && !measure.is_local) +
           ",\"duplicates\":" + flag(has_pairs) +
           ",\"radius\":" + json_number(usual_radius(measure)) + "}";
}

}  // namespace

Reply describe_table(Gallery& gallery) {
    const PictureTable& table = gallery.table;
    std::string measures, columns;
    for (const auto& measure : table.measures)
        measures += (measures.empty() ? "" : ",") + measure_json(gallery, measure);
    for (const auto& column : table.shown)
        columns += (columns.empty() ? "" : ",") + json_text(column.name);
    return {.body = "{\"table\":" + json_text(table.name) + ",\"key\":" + json_text(table.key) +
                    ",\"title\":" + json_text(table.title) + ",\"columns\":[" + columns +
                    "],\"measures\":[" + measures +
                    "],\"keepsMarks\":" + flag(!gallery.marks.empty()) + "}"};
}

}  // namespace lookalike
