// One system's table for filtered searches: rows with attributes, and indexes that can be hidden.
#pragma once

#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "tools/bench/dataset.h"
#include "tools/bench/filter_workload.h"
#include "tools/bench/system.h"

namespace lookalike {

struct FilterIndex {
    std::string name;        ///< without the table's
    std::string kind;        ///< what reports call it
    std::string definition;  ///< what follows "ON table"
    /// That it is about; none: it serves every search.
    std::vector<std::string> attributes = {};
};

class FilterTable {
  public:
    /// Holds references: all must outlive this.
    FilterTable(pqxx::connection& connection, const BenchSystem& system, const Dataset& set,
                const std::vector<FilterColumn>& columns);

    const std::string& name() const { return name_; }

    /// The descriptor, in the order of a search, as the only or the first column of an index.
    std::string indexed_features() const;

    /// Makes table and indexes, unless `reuse` and an earlier run left those of as many rows; then
    /// reads them into memory.
    void prepare(const std::vector<FilterIndex>& indexes, bool reuse);

    /// "SELECT ... WHERE condition ORDER BY ... $1 LIMIT ..."; an empty condition filters nothing.
    std::string query(const std::string& condition) const;

    /// Drops the indexes of other kinds, unless there are no `kinds`, and those about other
    /// attributes, which a rollback undoes.
    void hide_all_but(pqxx::transaction_base& work, const std::vector<std::string>& kinds,
                      const std::string& attribute) const;

    /// The kind of index that a plan reads, or "table".
    std::string kind_of_plan(const std::string& plan) const;

  private:
    std::string content() const;
    bool is_there() const;
    void fill() const;
    void build(const FilterIndex& index) const;
    std::string full_name(const FilterIndex& index) const { return name_ + "_" + index.name; }

    pqxx::connection& connection_;
    const BenchSystem& system_;
    const Dataset& set_;
    const std::vector<FilterColumn>& columns_;
    std::string name_;
    std::vector<FilterIndex> indexes_;
};

}  // namespace lookalike
