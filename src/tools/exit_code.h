// What the client's exit status says.
#pragma once

#include <stdexcept>

namespace lookalike {

enum ExitCode : int {
    kFine = 0,
    kSomeFilesFailed = 1,
    kWrongUse = 2,
    kNoDatabase = 3,
    kInterrupted = 130,  ///< as shells say it of a program that Ctrl-C ended
};

/// The arguments do not fit each other, the files or the database. The text says what to do.
struct WrongUse : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// There is no connection, or it was lost.
struct NoDatabase : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace lookalike
