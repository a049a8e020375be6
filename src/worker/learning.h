// The requests of a build: learning lists, and assigning rows to them. And learning from marks.
#pragma once

#include <memory>

#include "core/no_postgres.h"
#include "learn/assign.h"
#include "learn/assign_bits.h"
#include "worker/channel.h"

namespace lookalike {

class Learning {
  public:
    Learning(Channel& channel, const SharedArea& shared) : channel_(channel), shared_(shared) {}

    /// Each answers its request. They throw ProtocolError, InvalidRows, std::bad_alloc or what
    /// FAISS throws; then nothing but progress has been sent.
    void train(const WorkerRequest& request);
    void set_centroids(const WorkerRequest& request);
    void assign(const WorkerRequest& request);
    void train_projection(const WorkerRequest& request);
    void train_codebook(const WorkerRequest& request);

  private:
    Channel& channel_;
    const SharedArea& shared_;
    std::unique_ptr<Assigner> assigner_;         // of reals; of both at most one is there
    std::unique_ptr<BitAssigner> bit_assigner_;  // of bits
};

}  // namespace lookalike
