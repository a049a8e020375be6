// The type of a column is guessed from all of its values.
#pragma once

#include <string>
#include <string_view>

namespace lookalike {

/// What a value was before it was text.
enum class ValueSource { kPlain, kQuoted, kNested };

class ColumnTypeGuess {
  public:
    /// Plain: of CSV, or JSON's numbers and booleans. Quoted: JSON's strings, which are no numbers.
    /// Nested: JSON's arrays and objects.
    void add(std::string_view value, ValueSource source);

    /// boolean, bigint, double precision, date, timestamp, timestamp with time zone, jsonb or text.
    const char* type() const;

  private:
    bool is_empty_ = true;
    bool may_be_boolean_ = true;
    bool may_be_bigint_ = true;
    bool may_be_double_ = true;
    bool may_be_date_ = true;
    bool may_be_timestamp_ = true;
    bool may_be_timestamptz_ = true;
    bool may_be_jsonb_ = true;
};

}  // namespace lookalike
