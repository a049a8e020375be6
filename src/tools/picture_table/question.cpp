#include "tools/picture_table/question.h"

#include <algorithm>
#include <charconv>

namespace lookalike {
namespace {

std::string literal(const std::string& value) {
    std::string quoted = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') quoted += c;
        quoted += c;
    }
    const bool has_backslash = value.find('\\') != std::string::npos;
    return (has_backslash ? "E" : "") + quoted + "'";
}

std::string number_text(double value) {
    char buffer[64];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
    return {buffer, end.ptr};
}

class Writer {
  public:
    explicit Writer(const PictureTable& table) : table_(table) {}

    void text(const std::string& part) {
        statement_.sql += part;
        statement_.shown += part;
    }
    void column(const std::string& name) { text(table_.sql(name)); }
    void value(const std::string& value) { value_shown_as(value, literal(value)); }
    void value_shown_as(const std::string& value, const std::string& shown) {
        statement_.values.push_back(value);
        statement_.sql += "$" + std::to_string(statement_.values.size());
        statement_.shown += shown;
    }
    void key_value(const std::string& key) {
        const bool is_number = key.find_first_not_of("0123456789") == std::string::npos &&
                               (table_.key_type.ends_with("int") || table_.key_type == "integer");
        value_shown_as(key, is_number ? key : literal(key));
    }
    void begin_condition() {
        text(has_condition_ ? "\n   AND " : "\n WHERE ");
        has_condition_ = true;
    }
    Statement take() { return std::move(statement_); }

    void features_of_row(const Measure& measure, const std::string& key) {
        text("(SELECT ");
        column(measure.column);
        text(" FROM " + table_.name + " WHERE ");
        column(table_.key);
        text(" = ");
        key_value(key);
        text(")");
    }

    void features_of_rows(const Measure& measure, const std::vector<std::string>& keys) {
        text(", ARRAY(SELECT ");
        column(measure.column);
        text(" FROM " + table_.name + " WHERE ");
        column(table_.key);
        text(" = ANY (");
        value(array_text(keys));
        text("))");
    }

    void asked(const Measure& measure, const Question& question) {
        if (question.asked_by == AskedBy::kRow) {
            features_of_row(measure, question.value);
        } else if (question.asked_by == AskedBy::kText) {
            text("(SELECT text_features(");
            value(question.value);
            text(", ");
            value(measure.extractor);
            text("))");
        } else {
            value_shown_as(question.value, question.said);
            statement_.sql += measure.is_local ? "::local_features" : "::descriptor";
        }
    }

    // What is searched for: as asked, or moved by marks.
    void target(const Measure& measure, const Question& question) {
        if (question.good.empty() && question.bad.empty()) return asked(measure, question);
        text("(SELECT rocchio(");
        asked(measure, question);
        features_of_rows(measure, question.good);
        features_of_rows(measure, question.bad);
        text("))");
    }

    void condition(const Condition& asked) {
        if (!asked.values.empty() || asked.or_null) {
            begin_condition();
            const bool both = !asked.values.empty() && asked.or_null;
            if (both) text("(");
            if (!asked.values.empty()) {
                column(asked.column);
                const bool is_one = asked.values.size() == 1;
                text(is_one ? " = " : " = ANY (");
                value(is_one ? asked.values[0] : array_text(asked.values));
                if (!is_one) text(")");
            }
            if (both) text(" OR ");
            if (asked.or_null) {
                column(asked.column);
                text(" IS NULL");
            }
            if (both) text(")");
        }
        bound(asked.column, " >= ", asked.least);
        bound(asked.column, " <= ", asked.most);
    }

  private:
    void bound(const std::string& name, const char* comparison, const std::string& limit) {
        if (limit.empty()) return;
        begin_condition();
        column(name);
        text(comparison);
        value(limit);
    }

    const PictureTable& table_;
    Statement statement_;
    bool has_condition_ = false;
};

void add_conditions(Writer& writer, const PictureTable& table, const Measure& measure,
                    const Question& question) {
    for (const auto& condition : question.conditions)
        writer.condition(condition);
    if (question.asked_by == AskedBy::kRow) {
        writer.begin_condition();
        writer.column(table.key);
        writer.text(" <> ");
        writer.key_value(question.value);
    }
    if (question.asked_by != AskedBy::kNothing && question.radius) {
        writer.begin_condition();
        writer.text(measure.within + "(");
        writer.column(measure.column);
        writer.text(", ");
        writer.target(measure, question);
        writer.text(", " + number_text(*question.radius) + ")");
    }
    if (!question.where.empty()) {
        writer.begin_condition();
        // The end of the line ends a comment.
        writer.text("(" + question.where + "\n       )");
    }
}

}  // namespace

std::string array_text(const std::vector<std::string>& values) {
    std::string text = "{";
    for (const auto& value : values) {
        text += text.size() > 1 ? ",\"" : "\"";
        for (const char c : value) {
            if (c == '"' || c == '\\') text += '\\';
            text += c;
        }
        text += '"';
    }
    return text + "}";
}

Statement search_statement(const PictureTable& table, const Measure& measure,
                           const Question& question) {
    Writer writer(table);
    writer.text("SELECT ");
    writer.column(table.key);
    if (question.asked_by == AskedBy::kNothing) {
        writer.text(", NULL AS distance");
    } else {
        writer.text(",\n       ");
        writer.column(measure.column);
        writer.text(" " + measure.operator_name + " ");
        writer.target(measure, question);
        writer.text(" AS distance");
    }
    for (size_t i = 0; i < table.shown.size(); ++i) {
        writer.text(i == 0 ? ",\n       " : ", ");
        writer.column(table.shown[i].name);
    }
    writer.text("\n  FROM " + table.name);
    add_conditions(writer, table, measure, question);
    writer.text("\n ORDER BY ");
    if (question.asked_by == AskedBy::kNothing)
        writer.column(table.key);
    else
        writer.text("distance");
    writer.text("\n LIMIT " + std::to_string(question.limit));
    if (question.offset > 0) writer.text(" OFFSET " + std::to_string(question.offset));
    return writer.take();
}

Statement target_statement(const PictureTable& table, const Measure& measure,
                           const Question& question) {
    Writer writer(table);
    writer.text("SELECT ");
    writer.target(measure, question);
    return writer.take();
}

Statement count_statement(const PictureTable& table, const std::vector<std::string>& columns,
                          const std::vector<Condition>& conditions, const std::string& except) {
    Writer writer(table);
    std::string number = "NULL";
    std::string value = "NULL";
    std::string sets = "()";
    for (size_t i = 0; i < columns.size(); ++i) {
        const std::string& name = table.sql(columns[i]);
        const std::string is_grouped = " WHEN GROUPING(" + name + ") = 0 THEN ";
        number = (i == 0 ? "CASE" : number) + is_grouped + std::to_string(i);
        value = (i == 0 ? "CASE" : value) + is_grouped + name + "::text";
        sets += ", (" + name + ")";
    }
    const std::string end = columns.empty() ? "" : " END";
    writer.text("SELECT " + number + end + ", " + value + end + ", count(*) FROM " + table.name);
    for (const auto& condition : conditions)
        if (condition.column != except) writer.condition(condition);
    writer.text(" GROUP BY GROUPING SETS (" + sets + ") ORDER BY 1, 3 DESC, 2");
    return writer.take();
}

}  // namespace lookalike
