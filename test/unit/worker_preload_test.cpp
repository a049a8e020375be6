// What a preloaded network is known by.
#include <gtest/gtest.h>

#include <cstring>

#include "worker/images.h"

namespace lookalike {
namespace {

WorkerModelConfig config() {
    WorkerModelConfig config = {};
    std::strcpy(config.key, "net@1");
    config.input_width = config.input_height = 8;
    config.digest[0] = 1;
    return config;
}

TEST(WorkerPreload, TheNameDoesNotMatter) {
    WorkerModelConfig renamed = config();
    std::strcpy(renamed.key, "other@2");
    EXPECT_EQ(preloaded_key(config()), preloaded_key(renamed));
}

TEST(WorkerPreload, EverythingElseDoes) {
    const auto differs = [](void (*change)(WorkerModelConfig&)) {
        WorkerModelConfig changed = config();
        change(changed);
        return preloaded_key(config()) != preloaded_key(changed);
    };
    EXPECT_TRUE(differs([](WorkerModelConfig& c) { c.digest[31] = 1; }));
    EXPECT_TRUE(differs([](WorkerModelConfig& c) { std::strcpy(c.layer, "x"); }));
    EXPECT_TRUE(differs([](WorkerModelConfig& c) { c.input_height = 9; }));
    EXPECT_TRUE(differs([](WorkerModelConfig& c) { c.mean[2] = 1; }));
    EXPECT_TRUE(differs([](WorkerModelConfig& c) { c.std[0] = 1; }));
    EXPECT_TRUE(differs([](WorkerModelConfig& c) { c.bgr = 1; }));
    EXPECT_TRUE(differs([](WorkerModelConfig& c) { c.crop = 1; }));
    EXPECT_TRUE(differs([](WorkerModelConfig& c) { c.tokenizer_bytes = 1; }));
    EXPECT_TRUE(differs([](WorkerModelConfig& c) { c.pooling = 1; }));
    EXPECT_TRUE(differs([](WorkerModelConfig& c) { c.normalize = 1; }));
    EXPECT_TRUE(differs([](WorkerModelConfig& c) { c.codebook = 1; }));
}

}  // namespace
}  // namespace lookalike
