#include "tests/support/cuda_emulator/emulator.h"

#include <doctest/doctest.h>

#include <stdexcept>

#include "tests/engine/cuda/both_orders.h"
#include "tests/support/cuda_emulator/cuda_runtime.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

__global__ void number_threads(int* out) {
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  const unsigned block = blockIdx.y * gridDim.x + blockIdx.x;
  out[block * blockDim.x * blockDim.y * blockDim.z + thread] += int(1000 * block + thread);
}

/// Reverses an array of a block through shared memory.
__global__ void reverse(int* values, bool with_barrier) {
  __shared__ int shared[64];
  shared[threadIdx.x] = values[threadIdx.x];
  if (with_barrier) __syncthreads();
  values[threadIdx.x] = shared[blockDim.x - 1 - threadIdx.x];
}

__global__ void warp_sums(const int* in, int* sums, int* fifth) {
  int sum = in[threadIdx.x];
  for (int lanes = 16; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, lanes);
  sums[threadIdx.x] = sum;
  fifth[threadIdx.x] = __shfl_sync(0xffffffffu, in[threadIdx.x], 5);
}

__global__ void half_wait(int* out) {
  if (threadIdx.x % 2 == 0) __syncthreads();
  out[threadIdx.x] = 1;
}

__global__ void count(int* total) { atomicAdd(total, 1); }

void launch(void (*kernel)(int*), dim3 grid, dim3 block, int* out) {
  const cudaLaunchConfig_t config{grid, block, nullptr};
  REQUIRE(cudaLaunchKernelEx(&config, kernel, out) == cudaSuccess);
}

}  // namespace

TEST_CASE("emulator: every thread of every block runs once and knows its place") {
  test::in_both_orders([] {
    std::vector<int> out(6 * 24, 0);
    launch(number_threads, {3, 2}, {4, 3, 2}, out.data());
    for (int i = 0; i < int(out.size()); ++i) CHECK(out[size_t(i)] == 1000 * (i / 24) + i % 24);
  });
}

TEST_CASE("emulator: a barrier waits for the block, and a missing one shows in one of the orders") {
  int wrong = 0;
  int first = 0;  // other numbers every time: shared memory still holds those of the run before
  for (const bool with_barrier : {true, false})
    test::in_both_orders([&] {
      first += 100;
      std::vector<int> values(64);
      for (int i = 0; i < 64; ++i) values[size_t(i)] = first + i;
      emulator::run_grid({1}, {64}, [&] { reverse(values.data(), with_barrier); });
      bool right = true;
      for (int i = 0; i < 64; ++i) right &= values[size_t(i)] == first + 63 - i;
      if (with_barrier) CHECK(right);
      wrong += right ? 0 : 1;
    });
  CHECK(wrong > 0);
}

TEST_CASE("emulator: shuffles see what the other lanes of the warp bring") {
  test::in_both_orders([] {
    std::vector<int> in(96), sums(96), fifth(96);
    for (int i = 0; i < 96; ++i) in[size_t(i)] = i * i;
    emulator::run_grid({1}, {96}, [&] { warp_sums(in.data(), sums.data(), fifth.data()); });
    for (int i = 0; i < 96; ++i) {
      int sum = 0;
      for (int lane = 0; lane < 32; ++lane) sum += in[size_t(i / 32 * 32 + lane)];
      CHECK(sums[size_t(i)] == sum);
      CHECK(fifth[size_t(i)] == in[size_t(i / 32 * 32 + 5)]);
    }
  });
}

TEST_CASE("emulator: atomics, and launches no device would take") {
  int total = 0;
  launch(count, {7}, {33}, &total);
  CHECK(total == 7 * 33);
  for (const dim3 block : {dim3(0), dim3(1025), dim3(512, 4)}) {
    const cudaLaunchConfig_t config{{1}, block, nullptr};
    CHECK(cudaLaunchKernelEx(&config, count, &total) == cudaErrorInvalidConfiguration);
  }
}

TEST_CASE("emulator: threads that wait for ever are an error") {
  std::vector<int> out(32);
  CHECK_THROWS_AS(emulator::run_grid({1}, {32}, [&] { half_wait(out.data()); }), std::logic_error);
  // Three lanes of a full mask are missing.
  std::vector<int> in(29), sums(29), fifth(29);
  CHECK_THROWS_AS(emulator::run_grid({1}, {29}, [&] { warp_sums(in.data(), sums.data(), fifth.data()); }),
                  std::logic_error);
  // A lane outside the mask takes part.
  CHECK_THROWS_AS(emulator::run_grid({1}, {32}, [] { __shfl_sync(0x0000ffffu, 1, 0); }), std::logic_error);
}

}  // namespace plumb
