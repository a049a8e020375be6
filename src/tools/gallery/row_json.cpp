#include "tools/gallery/row_json.h"

#include "tools/gallery/row_sizes.h"
#include "tools/json_text.h"

namespace lookalike {
namespace {

constexpr size_t kMaxValueBytes = 2000;

// Not in the middle of a character.
std::string cut(const std::string& text) {
    if (text.size() <= kMaxValueBytes) return text;
    size_t end = kMaxValueBytes;
    while (end > 0 && (text[end] & 0xc0) == 0x80)
        --end;
    return text.substr(0, end) + "\u2026";
}

}  // namespace

std::string rows_json(Gallery& gallery, pqxx::transaction_base& work,
                      const std::vector<FoundRow>& rows) {
    std::vector<std::string> keys;
    for (const auto& row : rows)
        keys.push_back(row.key);
    const auto sizes = row_sizes(gallery, work, keys);
    std::string json = "[";
    for (size_t i = 0; i < rows.size(); ++i) {
        json += (i > 0 ? ",\n{\"key\":" : "\n{\"key\":") + json_text(rows[i].key) +
                ",\"distance\":" + json_number(rows[i].distance) +
                ",\"match\":" + json_number(rows[i].percent) +
                ",\"width\":" + std::to_string(sizes[i].first) +
                ",\"height\":" + std::to_string(sizes[i].second) + ",\"values\":[";
        for (size_t j = 0; j < rows[i].values.size(); ++j)
            json += (j > 0 ? "," : "") +
                    (rows[i].values[j] ? json_text(cut(*rows[i].values[j])) : "null");
        json += "]}";
    }
    return json + "]";
}

}  // namespace lookalike
