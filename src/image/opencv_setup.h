// How this library wants OpenCV.
#pragma once

namespace lookalike {

/// One thread, so that results never depend on the machine and a child forked later can work; and
/// no log, as damaged pictures are reported by exceptions. Cheap after the first call.
void set_up_opencv();

}  // namespace lookalike
