// Runs a test once for every instruction set that this machine has and the build contains.
#pragma once

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include "core/vector/distance_kernels.h"

namespace lookalike {

template <class Function>
void on_each_target(Function function) {
    for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
        SCOPED_TRACE(hwy::TargetName(target));
        hwy::SetSupportedTargetsForTest(target);
        hwy::GetChosenTarget().Update(hwy::SupportedTargets());
        choose_kernels();
        function();
    }
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    choose_kernels();
}

}  // namespace lookalike
