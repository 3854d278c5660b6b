#include <doctest/doctest.h>

#include <vector>

#include "engine/cuda/memory.h"
#include "engine/cuda/stream.h"
#include "engine/cuda/transfer.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "tests/gpu/accuracy.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

constexpr int64_t kMiB = int64_t(1) << 20;

Tensor block(int64_t bytes) { return empty({bytes}, DType::u8, kCuda); }

}  // namespace

TEST_CASE("gpu: transfers both ways keep every byte, around the size of a pinned buffer") {
  for (const int64_t bytes : {int64_t(0), int64_t(1), 4 * kMiB - 1, 4 * kMiB, 4 * kMiB + 1, 21 * kMiB + 7}) {
    const Tensor x = randint(RandomKey{.seed = 3}, 0, 256, {bytes}).to(DType::u8);
    CHECK(bits_of(x.to(kCuda).to(kCpu)) == bits_of(x));
  }
}

TEST_CASE("gpu: a tensor keeps its memory order on the way to the device and back") {
  const Tensor x = channels_last(random_tensor({2, 5, 3, 4}));
  const Tensor moved = x.to(kCuda);
  CHECK(moved.strides() == x.strides());
  CHECK(bits_of(moved.to(kCpu)) == bits_of(x));
  const Tensor gaps = with_gaps(random_tensor({3, 4}));
  CHECK(gaps.to(kCuda).is_contiguous());
  CHECK(bits_of(gaps.to(kCuda).to(kCpu)) == bits_of(gaps));
}

TEST_CASE("gpu: a second stream that waits for an event sees what the first one wrote") {
  const CudaStream side(kCuda);
  Tensor x = zeros({4 * kMiB}, DType::f32, kCuda);
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 10; ++i) x.add_(full({}, 1, DType::f32, kCuda));
    CudaEvent written(kCuda);
    written.record();
    written.block(side);
    const CudaStreamScope scope(side);
    CHECK(sum(x.to(DType::f64)).item() == double(4 * kMiB) * 10 * (round + 1));
  }
}

TEST_CASE("gpu: a cap is kept, its error names sizes, and the next smaller request is served") {
  release_cached_memory(kCuda);
  const int64_t held = allocator_statistics(kCuda).reserved_bytes;
  set_cuda_memory_cap(kCuda, held + 64 * kMiB);
  {
    const Tensor half = block(40 * kMiB);
    CHECK_THROWS_AS(block(40 * kMiB), MemoryError);
    const std::string message = message_of([] { block(40 * kMiB); });
    CHECK(message.find(std::to_string(40 * kMiB)) != std::string::npos);
    CHECK(block(16 * kMiB).defined());
  }
  CHECK(block(40 * kMiB).defined());
  set_cuda_memory_cap(kCuda, 0);
}

TEST_CASE("gpu: memory can be used up, and all of it comes back") {
  release_cached_memory(kCuda);
  std::vector<Tensor> all;
  try {
    for (int64_t size = 4096 * kMiB; size >= 64 * kMiB;) {
      try {
        all.push_back(block(size));
      } catch (const MemoryError&) {
        size /= 2;
      }
    }
  } catch (...) {
    FAIL("running out of memory must be a MemoryError");
  }
  REQUIRE(!all.empty());
  CHECK_THROWS_AS(block(64 * kMiB), MemoryError);
  all.clear();
  release_cached_memory(kCuda);
  const Tensor x = randn(RandomKey{.seed = 1}, {1000, 1000}).to(kCuda);
  CHECK(bits_of((x + x).to(kCpu)) == bits_of((x * 2.0).to(kCpu)));
}

TEST_CASE("gpu: a loop that frees what it allocates asks the device for nothing more") {
  const auto step = [] {
    Tensor x = randn(RandomKey{.seed = 1}, {333, 77}, DType::f32, kCuda);
    for (int i = 0; i < 5; ++i) x = x * 0.5 + x;
    return sum(x).item();
  };
  step();
  const int64_t before = allocator_statistics(kCuda).system_requests;
  for (int i = 0; i < 10; ++i) step();
  CHECK(allocator_statistics(kCuda).system_requests == before);
}
