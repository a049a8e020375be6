// Ctrl-C is a wish that long work looks at; the second one ends the program.
#pragma once

namespace lookalike {

/// From now on SIGINT and SIGTERM set a flag.
void watch_interrupts();

bool is_interrupted();

}  // namespace lookalike
