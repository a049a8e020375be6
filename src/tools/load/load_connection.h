// One connection that loads pictures, each in a transaction of its own.
#pragma once

#include <memory>
#include <pqxx/pqxx>
#include <stdexcept>
#include <string>

#include "tools/database.h"
#include "tools/load/load_table.h"
#include "tools/load/picture_queue.h"

namespace lookalike {

enum class LoadOutcome { kAdded, kChanged, kUnchanged };

/// The server refuses this picture; others may go on.
struct PictureRefused : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class LoadConnection {
  public:
    /// Throws NoDatabase, pqxx::sql_error.
    LoadConnection(const DatabaseOptions& options, const LoadTable& table);

    /// `values` are Metadata's. Throws PictureRefused, NoDatabase.
    LoadOutcome load(const std::string& path, const Picture& picture, const std::string& values);

    /// Makes sure that what was loaded is on disk.
    void settle();

    /// Ends what the server does for this connection; from any thread.
    void cancel();

  private:
    LoadOutcome try_load(const std::string& path, const Picture& picture,
                         const std::string& values);

    std::unique_ptr<pqxx::connection> connection_;
    std::string extractor_;
    std::string locals_;
};

}  // namespace lookalike
