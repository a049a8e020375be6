// A few connections for many requests.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <pqxx/pqxx>
#include <stdexcept>
#include <vector>

#include "tools/database.h"

namespace lookalike {

/// All are in use, and stayed so.
struct Busy : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class ConnectionPool {
  public:
    /// Sessions are read-only, and end a statement after so long.
    ConnectionPool(const DatabaseOptions& options, unsigned size, unsigned timeout_ms)
        : options_(options), free_(size), timeout_ms_(timeout_ms) {}

    /// Once more by another connection when the first was lost, so `use` may run twice.
    /// Throws NoDatabase, Busy, pqxx::sql_error and what `use` throws.
    void run(const std::function<void(pqxx::connection&)>& use);

    /// Ends what the server does; from any thread.
    void cancel_all();

  private:
    std::unique_ptr<pqxx::connection> take();
    void give(std::unique_ptr<pqxx::connection> connection);
    std::unique_ptr<pqxx::connection> open() const;
    bool run_once(const std::function<void(pqxx::connection&)>& use, std::string& loss);

    const DatabaseOptions options_;
    unsigned free_;  ///< how many may still be taken
    const unsigned timeout_ms_;
    std::mutex mutex_;
    std::condition_variable given_;
    std::vector<std::unique_ptr<pqxx::connection>> idle_;
    std::vector<pqxx::connection*> used_;
};

}  // namespace lookalike
