#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <numeric>

#include "tools/bench/dataset.h"
#include "tools/bench/scale_result.h"
#include "tools/bench/server_processes.h"

namespace lookalike {
namespace {

TEST(ScaleResult, TablesAndJsonHaveEverything) {
    ScaleResult result{.set = "sift10m",
                       .server = "18 \"x\"",
                       .shared_buffers = "4GB",
                       .maintenance_work_mem = "1GB",
                       .dims = 128,
                       .recall_setting = 0.95,
                       .points = {}};
    result.points.push_back(
        {.rows = 1000000,
         .copy_seconds = 21.25,
         .build_seconds = 9.75,
         .build_processor_seconds = 8.5,
         .build_bytes = 512000000,
         .lists = 1000,
         .index_bytes = 123000000,
         .table_bytes = 600000000,
         .searches = {{"cold", 1000, 0.9512, 432.1, 1.25, 9.5, 0.75, 66.4, 12345},
                      {"2 GiB", 999, 0.9512, 432.1, 1.25, 9.5, 0.75, -1, -1}}});
    const std::string json = scale_json(result);
    for (const char* part :
         {"\"server\": \"18 \\\"x\\\"\"", "\"maintenance_work_mem\": \"1GB\"", "\"dims\": 128",
          "\"recall_setting\": 0.95", "\"rows\": 1000000, \"copy_seconds\": 21.25",
          "\"build_seconds\": 9.75", "\"build_bytes\": 512000000", "\"index_bytes\": 123000000",
          "\"state\": \"cold\", \"queries\": 1000, \"recall\": 0.9512", "\"p99_ms\": 9.5000",
          "\"blocks\": 66.40", "\"disk_bytes\": 12345"})
        EXPECT_NE(json.find(part), std::string::npos) << part << " in " << json;
    const std::string tables = scale_tables(result);
    for (const char* part :
         {"| 1000000 | 21.2 | 9.8 | 8.5 | 512 | 1000 | 123.0 | 123.0 |",
          "| 1000000 | cold | 0.9512 | 432 | 1.250 | 9.500 | 0.750 | 66.4 | 12.3 |",
          "| 1000000 | 2 GiB | 0.9512 | 432 | 1.250 | 9.500 | 0.750 | - | - |"})
        EXPECT_NE(tables.find(part), std::string::npos) << part << " in " << tables;
}

TEST(PeakMemory, SeesWhatWasThereForAWhile) {
    constexpr size_t kBytes = 64 << 20;
    const PeakMemory memory(getpid());
    EXPECT_LT(memory.bytes(), kBytes / 2);
    void* area = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(area, MAP_FAILED);
    std::memset(area, 1, kBytes);
    for (int i = 0; i < 100 && memory.bytes() < kBytes / 2; ++i)
        usleep(50000);
    munmap(area, kBytes);
    EXPECT_GE(memory.bytes(), kBytes / 2);
}

TEST(ProcessorSeconds, GrowWithWork) {
    const double before = processor_seconds(getpid());
    volatile double sum = 0;
    for (int i = 0; i < 20000000; ++i)
        sum = sum + i;
    EXPECT_GT(processor_seconds(getpid()), before);
    EXPECT_EQ(processor_seconds(0), 0);
    EXPECT_GE(processor_seconds_of_family(getpid()) + 0.02, before);
    EXPECT_EQ(processor_seconds_of_family(0), 0);
}

// More than one part of the file at a time.
TEST(Dataset, ByteRowsAreReadAsTheyWereWritten) {
    const auto file = std::filesystem::path(testing::TempDir()) / "bench_byte_rows";
    constexpr uint32_t kDims = 7, kCount = 400000;
    std::vector<uint8_t> bytes(size_t{kDims} * kCount);
    std::iota(bytes.begin(), bytes.end(), uint8_t{3});
    write_byte_rows(file, kDims, bytes);
    const Rows rows = read_rows(file);
    ASSERT_EQ(rows.dims, kDims);
    ASSERT_EQ(rows.count(), kCount);
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), rows.values.begin()));
    EXPECT_EQ(read_rows(file, 10).count(), 10u);
    EXPECT_EQ(read_rows(file, 10).values.back(), bytes[69]);
}

}  // namespace
}  // namespace lookalike
