// Speaks to the built worker program as a backend does. Its path is the environment variable
// LOOKALIKE_WORKER, else the compile definition of that name.
#include "core/protocol/worker.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace lookalike {
namespace {

const char* worker_path() {
    if (const char* path = std::getenv("LOOKALIKE_WORKER")) return path;
#ifdef LOOKALIKE_WORKER
    return LOOKALIKE_WORKER;
#else
    return nullptr;
#endif
}

constexpr size_t kSharedBytes = 8 << 20;
constexpr int kTimeoutMs = 300 * 1000;

class WorkerProtocol : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_NE(worker_path(), nullptr) << "LOOKALIKE_WORKER is not set";
        start("268435456");
    }

    void TearDown() override { end(); }

    void start(const char* budget_bytes) {
        int ends[2];
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
        const int shared_fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        ASSERT_EQ(ftruncate(shared_fd, kSharedBytes), 0);
        shared_ = static_cast<char*>(
            mmap(nullptr, kSharedBytes, PROT_READ | PROT_WRITE, MAP_SHARED, shared_fd, 0));
        ASSERT_NE(shared_, MAP_FAILED);
        pid_ = fork();
        if (pid_ == 0) {
            const int socket = lift(ends[1]), memory = lift(shared_fd);
            dup2(socket, kWorkerSocketFd);
            dup2(memory, kWorkerSharedFd);
            execl(worker_path(), worker_path(), budget_bytes, nullptr);
            _exit(127);
        }
        ASSERT_GT(pid_, 0);
        socket_ = ends[0];
        close(ends[1]);
        close(shared_fd);
    }

    /// Hangs up, as a backend that ends does; returns the worker's wait status.
    int end() {
        int status = -1;
        if (pid_ <= 0) return status;
        close(socket_);
        EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
        munmap(shared_, kSharedBytes);
        pid_ = 0;
        return status;
    }

    void send_bytes(const void* bytes, size_t length) {
        ASSERT_EQ(send(socket_, bytes, length, MSG_NOSIGNAL), static_cast<ssize_t>(length));
    }

    void send_request(WorkerRequest request) {
        request.request_id = ++request_id_;
        send_bytes(&request, sizeof(request));
    }

    /// One datagram; the status is 0 when the worker hung up.
    WorkerReply receive() {
        struct {
            WorkerReply header;
            char text[kWorkerTextBytes];
        } reply;
        pollfd ready = {socket_, POLLIN, 0};
        EXPECT_EQ(poll(&ready, 1, kTimeoutMs), 1) << "no answer in time";
        const ssize_t length = recv(socket_, &reply, sizeof(reply), MSG_TRUNC);
        if (length <= 0) return {};
        EXPECT_EQ(length, static_cast<ssize_t>(sizeof(WorkerReply) + reply.header.text_bytes));
        EXPECT_EQ(reply.header.magic, kWorkerMagic);
        EXPECT_EQ(reply.header.version, kWorkerVersion);
        text_.assign(reply.text, reply.header.text_bytes);
        return reply.header;
    }

    WorkerReply ask(const WorkerRequest& request) {
        send_request(request);
        progress_count_ = 0;
        for (;;) {
            const WorkerReply reply = receive();
            EXPECT_EQ(reply.request_id, request_id_);
            EXPECT_EQ(reply.kind, request.kind);
            if (reply.status != WorkerStatus::kProgress) return reply;
            ++progress_count_;
            EXPECT_EQ(reply.step, progress_count_);
            EXPECT_LE(reply.step, reply.step_count);
        }
    }

    void expect_error(const WorkerRequest& request, WorkerError error) {
        const WorkerReply reply = ask(request);
        EXPECT_EQ(reply.status, WorkerStatus::kError);
        EXPECT_EQ(reply.error, error);
        EXPECT_FALSE(text_.empty());
    }

    void expect_alive() {
        WorkerRequest request;
        request.kind = WorkerKind::kVersions;
        EXPECT_EQ(ask(request).status, WorkerStatus::kDone);
    }

    float* floats(uint64_t offset) { return reinterpret_cast<float*>(shared_ + offset); }

    /// 1000 rows of 4 floats at kRows: row i is (i % 10, i, 0, 0) / 10.
    void fill_rows() {
        for (int i = 0; i < 1000; ++i) {
            const float row[4] = {static_cast<float>(i % 10) / 10, static_cast<float>(i) / 10, 0,
                                  0};
            std::memcpy(floats(kRows) + i * 4, row, sizeof(row));
        }
    }

    static constexpr uint64_t kRows = 4096;
    static constexpr uint64_t kCentroids = 1 << 20;
    static constexpr uint64_t kListIds = 2 << 20;
    static constexpr uint64_t kDistances = 3 << 20;

    static WorkerRequest train_request() {
        WorkerRequest request;
        request.kind = WorkerKind::kTrain;
        request.train = {.rows_offset = kRows,
                         .centroids_offset = kCentroids,
                         .row_count = 1000,
                         .list_count = 20,
                         .dims = 4,
                         .iteration_count = 6,
                         .aim = 0};
        return request;
    }

    static WorkerRequest set_request(uint32_t list_count) {
        WorkerRequest request;
        request.kind = WorkerKind::kSetCentroids;
        request.set_centroids = {.centroids_offset = kCentroids,
                                 .list_count = list_count,
                                 .dims = 4,
                                 .kind = 0,
                                 .padding = 0};
        return request;
    }

    static WorkerRequest assign_request() {
        WorkerRequest request;
        request.kind = WorkerKind::kAssign;
        request.assign = {.rows_offset = kRows,
                          .list_ids_offset = kListIds,
                          .distances_offset = kDistances,
                          .row_count = 1000,
                          .dims = 4,
                          .kind = 0};
        return request;
    }

    std::string text_;
    char* shared_ = nullptr;
    int socket_ = -1;
    pid_t pid_ = 0;
    uint64_t request_id_ = 100;
    uint64_t progress_count_ = 0;

  private:
    static int lift(int fd) {
        // High enough not to lie where the other descriptor belongs.
        return dup2(fd, fd + 100);
    }
};

TEST_F(WorkerProtocol, NamesItsLibraries) {
    WorkerRequest request;
    request.kind = WorkerKind::kVersions;
    EXPECT_EQ(ask(request).status, WorkerStatus::kDone);
    EXPECT_NE(text_.find("FAISS 1."), std::string::npos) << text_;
    EXPECT_NE(text_.find("\nBLAS "), std::string::npos) << text_;
    EXPECT_NE(text_.find("\nOpenMP threads "), std::string::npos) << text_;
}

TEST_F(WorkerProtocol, TrainsAndAssigns) {
    fill_rows();
    const WorkerReply trained = ask(train_request());
    ASSERT_EQ(trained.status, WorkerStatus::kDone) << text_;
    ASSERT_EQ(trained.list_count, 20u);
    EXPECT_EQ(progress_count_, 6u);
    const std::vector<float> centroids(floats(kCentroids), floats(kCentroids) + 20 * 4);
    ASSERT_EQ(ask(set_request(20)).status, WorkerStatus::kDone) << text_;
    std::memset(floats(kCentroids), 0xff, 20 * 16);  // the worker has its own copy
    ASSERT_EQ(ask(assign_request()).status, WorkerStatus::kDone) << text_;
    const auto* list_ids = reinterpret_cast<const uint32_t*>(shared_ + kListIds);
    for (int i = 0; i < 1000; ++i) {
        ASSERT_LT(list_ids[i], 20u);
        double nearest = INFINITY, chosen = 0;
        for (uint32_t list = 0; list < 20; ++list) {
            double sum = 0;
            for (int d = 0; d < 4; ++d)
                sum += std::pow(double{floats(kRows)[i * 4 + d]} - centroids[list * 4 + d], 2);
            nearest = std::min(nearest, sum);
            if (list == list_ids[i]) chosen = sum;
        }
        ASSERT_LE(chosen, nearest + 0.01);
        ASSERT_NEAR(floats(kDistances)[i], chosen, 1e-4 * chosen + 1e-9);
    }
}

TEST_F(WorkerProtocol, AssignsBits) {
    auto* centroids = reinterpret_cast<uint64_t*>(shared_ + kCentroids);  // 70 bits, two words each
    auto* rows = reinterpret_cast<uint64_t*>(shared_ + kRows);
    for (uint64_t list = 0; list < 50; ++list) {
        centroids[2 * list] = list << 8 | list;
        centroids[2 * list + 1] = 1;
    }
    for (uint64_t row = 0; row < 1000; ++row) {
        rows[2 * row] = (row % 50) << 8 | (row % 50) | uint64_t{1} << 60;
        rows[2 * row + 1] = row % 2;
    }
    WorkerRequest set = set_request(50);
    set.set_centroids.dims = 70;
    set.set_centroids.kind = static_cast<uint32_t>(Kind::kBit);
    ASSERT_EQ(ask(set).status, WorkerStatus::kDone) << text_;
    WorkerRequest assign = assign_request();
    assign.assign.dims = 70;
    expect_error(assign, WorkerError::kProtocol);  // they are of another kind
    assign.assign.kind = static_cast<uint32_t>(Kind::kBit);
    ASSERT_EQ(ask(assign).status, WorkerStatus::kDone) << text_;
    for (uint32_t row = 0; row < 1000; ++row) {
        ASSERT_EQ(reinterpret_cast<const uint32_t*>(shared_ + kListIds)[row], row % 50);
        ASSERT_EQ(floats(kDistances)[row], row % 2 == 1 ? 1 : 2);
    }
    assign.assign.dims = 64;
    expect_error(assign, WorkerError::kProtocol);
    set.set_centroids.dims = kMaxBitDims + 1;
    expect_error(set, WorkerError::kProtocol);
    set.set_centroids.kind = static_cast<uint32_t>(Kind::kHalf);
    set.set_centroids.dims = 4;
    expect_error(set, WorkerError::kProtocol);
    expect_error(assign_request(), WorkerError::kProtocol);  // no centroids are left
}

TEST_F(WorkerProtocol, SaysHowManyListsThereAre) {
    for (int i = 0; i < 1000; ++i)
        for (int d = 0; d < 4; ++d)
            floats(kRows)[i * 4 + d] = static_cast<float>(i % 3);
    const WorkerReply trained = ask(train_request());
    EXPECT_EQ(trained.status, WorkerStatus::kDone);
    EXPECT_EQ(trained.list_count, 3u);
}

TEST_F(WorkerProtocol, RefusesWrongMagicVersionAndKind) {
    WorkerRequest request;
    request.kind = WorkerKind::kVersions;
    request.magic ^= 1;
    expect_error(request, WorkerError::kProtocol);
    request.magic = kWorkerMagic;
    request.version = 99;
    expect_error(request, WorkerError::kProtocol);
    request.version = kWorkerVersion;
    request.kind = static_cast<WorkerKind>(999);
    expect_error(request, WorkerError::kProtocol);
    expect_alive();
}

TEST_F(WorkerProtocol, RefusesWrongLengths) {
    char bytes[4000] = {};
    WorkerRequest request;
    request.kind = WorkerKind::kVersions;
    std::memcpy(bytes, &request, sizeof(request));
    for (const size_t length :
         {size_t{1}, sizeof(request) - 1, sizeof(request) + 1, sizeof(bytes)}) {
        send_bytes(bytes, length);
        const WorkerReply reply = receive();
        EXPECT_EQ(reply.status, WorkerStatus::kError) << length;
        EXPECT_EQ(reply.error, WorkerError::kProtocol) << length;
    }
    expect_alive();
}

TEST_F(WorkerProtocol, RefusesRangesOutsideTheSharedArea) {
    const auto broken_train = [&](auto change) {
        WorkerRequest request = train_request();
        change(request.train);
        expect_error(request, WorkerError::kProtocol);
    };
    fill_rows();
    broken_train([](auto& train) { train.rows_offset = kSharedBytes; });
    broken_train([](auto& train) { train.rows_offset = ~uint64_t{63}; });
    broken_train([](auto& train) { train.rows_offset = kRows + 1; });
    broken_train([](auto& train) { train.row_count = kSharedBytes; });
    broken_train([](auto& train) { train.row_count = uint64_t{1} << 60; });
    broken_train([](auto& train) { train.row_count = 0; });
    broken_train([](auto& train) { train.centroids_offset = kSharedBytes - 64; });
    broken_train([](auto& train) { train.list_count = 0; });
    broken_train([](auto& train) { train.list_count = ~0u; });
    broken_train([](auto& train) { train.dims = 0; });
    broken_train([](auto& train) { train.dims = ~0u; });
    broken_train([](auto& train) { train.iteration_count = 0; });
    broken_train([](auto& train) { train.iteration_count = ~0u; });
    broken_train([](auto& train) { train.aim = 3; });

    WorkerRequest request = set_request(20);
    request.set_centroids.centroids_offset = kSharedBytes - 128;
    expect_error(request, WorkerError::kProtocol);
    ASSERT_EQ(ask(set_request(20)).status, WorkerStatus::kDone);
    request = assign_request();
    request.assign.list_ids_offset = kSharedBytes - 3968;
    expect_error(request, WorkerError::kProtocol);
    request = assign_request();
    request.assign.distances_offset = kSharedBytes - 3968;
    expect_error(request, WorkerError::kProtocol);
    request = assign_request();
    request.assign.row_count = ~uint64_t{0};
    expect_error(request, WorkerError::kProtocol);
    request = assign_request();
    request.assign.dims = 5;
    expect_error(request, WorkerError::kProtocol);
    EXPECT_EQ(ask(assign_request()).status, WorkerStatus::kDone);
}

TEST_F(WorkerProtocol, LearnsAProjection) {
    // Of three dimensions the first tells the two labels.
    constexpr uint32_t kPoints = 200;
    WorkerRequest request;
    request.kind = WorkerKind::kTrainProjection;
    request.projection = {.points_offset = 0,
                          .marks_offset = 4096,
                          .result_offset = 8192,
                          .mark_count = kPoints,
                          .dims = 3,
                          .dims_out = 1,
                          .aim = static_cast<uint32_t>(ProjectionAim::kLabels),
                          .padding = 0};
    auto* points = reinterpret_cast<float*>(shared_);
    auto* labels = reinterpret_cast<uint64_t*>(shared_ + 4096);
    for (uint32_t i = 0; i < kPoints; ++i) {
        labels[i] = i % 2;
        points[3 * i] = static_cast<float>(i % 2) / 2 + static_cast<float>(i * 7 % 13) / 100;
        points[3 * i + 1] = static_cast<float>(i * 31 % 101) / 50;
        points[3 * i + 2] = static_cast<float>(i * 57 % 103) / 50;
    }
    ASSERT_EQ(ask(request).status, WorkerStatus::kDone);
    WorkerProjectionResult result;
    std::memcpy(&result, shared_ + 8192, sizeof(result));
    EXPECT_EQ(result.dims_out, 1u);
    EXPECT_GT(result.held_out_after, 0.95);
    const auto* rows = reinterpret_cast<const float*>(shared_ + 8192 + sizeof(result));
    EXPECT_GT(std::abs(rows[0]), 5 * std::abs(rows[1]));
    EXPECT_GT(std::abs(rows[0]), 5 * std::abs(rows[2]));

    const auto broken = [&](auto change) {
        WorkerRequest other = request;
        change(other.projection);
        expect_error(other, WorkerError::kProtocol);
    };
    broken([](auto& projection) { projection.points_offset = kSharedBytes; });
    broken([](auto& projection) { projection.points_offset = 1; });
    broken([](auto& projection) { projection.marks_offset = kSharedBytes - 64; });
    broken([](auto& projection) { projection.result_offset = kSharedBytes - 64; });
    broken([](auto& projection) { projection.mark_count = 0; });
    broken([](auto& projection) { projection.mark_count = ~uint64_t{0}; });
    broken([](auto& projection) { projection.dims = 0; });
    broken([](auto& projection) { projection.dims = 4097; });
    broken([](auto& projection) { projection.dims_out = 4; });
    broken([](auto& projection) { projection.aim = 4; });
    broken([](auto& projection) { projection.padding = 1; });
    points[5] = NAN;
    expect_error(request, WorkerError::kInvalidInput);
    points[5] = 0;
    EXPECT_EQ(ask(request).status, WorkerStatus::kDone);
}

TEST_F(WorkerProtocol, RefusesToAssignWithoutCentroids) {
    expect_error(assign_request(), WorkerError::kProtocol);
}

TEST_F(WorkerProtocol, RefusesNaN) {
    fill_rows();
    ASSERT_EQ(ask(set_request(1)).status, WorkerStatus::kDone);
    for (const float bad : {NAN, INFINITY, 1e38f}) {
        floats(kRows)[999 * 4 + 3] = bad;
        expect_error(train_request(), WorkerError::kInvalidInput);
        expect_error(assign_request(), WorkerError::kInvalidInput);
    }
    floats(kCentroids)[2] = NAN;
    expect_error(set_request(1), WorkerError::kInvalidInput);
    // Its old centroids went with the attempt.
    floats(kRows)[999 * 4 + 3] = 0;
    expect_error(assign_request(), WorkerError::kProtocol);
    expect_alive();
}

TEST_F(WorkerProtocol, AnswersWhenTheMemoryBudgetIsTooSmall) {
    end();
    start("1000000");
    std::fill_n(floats(0), kSharedBytes / 8, 0.5f);
    for (int i = 0; i < 100000; ++i)
        floats(0)[i * 8] = static_cast<float>(i);
    WorkerRequest request;
    request.kind = WorkerKind::kTrain;
    request.train = {.rows_offset = 0,
                     .centroids_offset = kSharedBytes / 2,
                     .row_count = 100000,
                     .list_count = 1000,
                     .dims = 8,
                     .iteration_count = 2,
                     .aim = 0};
    expect_error(request, WorkerError::kMemory);
    expect_alive();
}

TEST_F(WorkerProtocol, TheEstimatedMemoryBudgetSuffices) {
    struct Shape {
        uint32_t row_count, dims, list_count;
    };
    for (const Shape shape : {Shape{100000, 16, 100}, Shape{1500, 1024, 400},
                              Shape{50000, 16, 5000}, Shape{100, 4, 10}}) {
        end();
        const uint64_t budget =
            worker_training_bytes(shape.row_count, shape.dims, shape.list_count);
        start(std::to_string(budget).c_str());
        uint32_t state = 1;
        for (size_t i = 0; i < size_t{shape.row_count} * shape.dims; ++i)
            floats(0)[i] = static_cast<float>((state = state * 1664525 + 1013904223) >> 8);
        const uint64_t centroids_offset =
            align_in_shared_area(uint64_t{shape.row_count} * shape.dims * sizeof(float));
        WorkerRequest request;
        request.kind = WorkerKind::kTrain;
        request.train = {.rows_offset = 0,
                         .centroids_offset = centroids_offset,
                         .row_count = shape.row_count,
                         .list_count = shape.list_count,
                         .dims = shape.dims,
                         .iteration_count = 2,
                         .aim = 0};
        const WorkerReply reply = ask(request);
        EXPECT_EQ(reply.status, WorkerStatus::kDone) << shape.row_count << ": " << text_;
        EXPECT_EQ(reply.list_count, shape.list_count);
        request = {};
        request.kind = WorkerKind::kSetCentroids;
        request.set_centroids = {.centroids_offset = centroids_offset,
                                 .list_count = shape.list_count,
                                 .dims = shape.dims,
                                 .kind = 0,
                                 .padding = 0};
        ASSERT_EQ(ask(request).status, WorkerStatus::kDone) << text_;
        request = {};
        request.kind = WorkerKind::kAssign;
        request.assign = {.rows_offset = 0,
                          .list_ids_offset = centroids_offset,
                          .distances_offset = kSharedBytes - (1 << 19),
                          .row_count = std::min(shape.row_count, 50000u),
                          .dims = shape.dims,
                          .kind = 0};
        EXPECT_EQ(ask(request).status, WorkerStatus::kDone) << text_;
    }
}

TEST_F(WorkerProtocol, EndsWhenTheBackendHangsUp) {
    expect_alive();
    EXPECT_EQ(end(), 0);
}

TEST_F(WorkerProtocol, EndsInTheMiddleOfWorkWhenTheBackendHangsUp) {
    fill_rows();
    WorkerRequest request = train_request();
    request.train.iteration_count = kWorkerMaxIterations;
    send_request(request);
    EXPECT_EQ(receive().status, WorkerStatus::kProgress);
    EXPECT_EQ(end(), 0);
}

TEST_F(WorkerProtocol, KillEndsTheConnection) {
    fill_rows();
    WorkerRequest request = train_request();
    request.train.iteration_count = kWorkerMaxIterations;
    send_request(request);
    EXPECT_EQ(receive().status, WorkerStatus::kProgress);
    kill(pid_, SIGKILL);
    WorkerReply reply;
    do
        reply = receive();
    while (reply.status == WorkerStatus::kProgress);
    EXPECT_EQ(reply.status, WorkerStatus{});
    const int status = end();
    EXPECT_TRUE(WIFSIGNALED(status));
}

TEST(SharedAreaRange, IsSafeAgainstOverflow) {
    EXPECT_TRUE(lies_in_shared_area(1024, 0, 256, 4));
    EXPECT_TRUE(lies_in_shared_area(1024, 1024, 0, 4));
    EXPECT_FALSE(lies_in_shared_area(1024, 0, 257, 4));
    EXPECT_FALSE(lies_in_shared_area(1024, 64, 256, 4));
    EXPECT_FALSE(lies_in_shared_area(1024, 1088, 0, 4));
    EXPECT_FALSE(lies_in_shared_area(1024, 4, 1, 4));
    EXPECT_FALSE(lies_in_shared_area(1024, 0, uint64_t{1} << 62, 4));
    EXPECT_EQ(align_in_shared_area(0), 0u);
    EXPECT_EQ(align_in_shared_area(65), 128u);
}

}  // namespace
}  // namespace lookalike
