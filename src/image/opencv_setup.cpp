#include "image/opencv_setup.h"

#include <opencv2/core/utility.hpp>
#include <opencv2/core/utils/logger.hpp>

namespace lookalike {

void set_up_opencv() {
    static const bool is_set_up = [] {
        cv::setNumThreads(1);
        cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
        return true;
    }();
    (void)is_set_up;
}

}  // namespace lookalike
