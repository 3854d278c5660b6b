#include "engine/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <thread>
#include <vector>

#include "engine/error.h"
#include "engine/loops.h"

using namespace plumb;

namespace {

struct Threads {
  explicit Threads(int count) : before(num_threads()) { set_num_threads(count); }
  ~Threads() { set_num_threads(before); }
  int before;
};

double chunked_sum(int64_t count) {
  std::vector<double> parts(size_t((count + 99) / 100));
  parallel_for(count, 100, [&](int64_t begin, int64_t end) {
    double part = 0;
    for (int64_t i = begin; i < end; ++i) part += std::sin(double(i)) * 1e-3 + 1e8;
    parts[size_t(begin / 100)] = part;
  });
  double total = 0;
  for (double part : parts) total += part;
  return total;
}

}  // namespace

TEST_CASE("parallel_for: visits every element once for any thread count") {
  for (int threads : {1, 2, 3, 8}) {
    const Threads scope(threads);
    std::vector<std::atomic<int>> visits(1003);
    parallel_for(1003, 10, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) ++visits[size_t(i)];
    });
    for (auto& count : visits) REQUIRE(count == 1);
  }
}

TEST_CASE("parallel_for: a reduction by chunks has the same bits for any thread count") {
  std::vector<double> sums;
  for (int threads : {1, 2, 3, 8}) {
    const Threads scope(threads);
    sums.push_back(chunked_sum(12345));
  }
  for (double sum : sums) CHECK(sum == sums[0]);
}

TEST_CASE("parallel_for: the first chunk's exception reaches the caller, and the pool lives on") {
  const Threads scope(3);
  for (int i = 0; i < 20; ++i)
    CHECK_THROWS_WITH_AS(parallel_for(100, 1,
                                      [](int64_t begin, int64_t) {
                                        if (begin >= 40) throw ValueError("chunk " + std::to_string(begin));
                                      }),
                         "chunk 40", ValueError);
  CHECK(chunked_sum(1000) > 0);
}

TEST_CASE("parallel_for: nested loops run inline and see the caller's context") {
  const Threads scope(2);
  task_context().flags = 42;
  std::atomic<int> wrong{0}, total{0};
  parallel_for(8, 1, [&](int64_t, int64_t) {
    if (task_context().flags != 42 || !in_parallel()) ++wrong;
    const std::thread::id outer = std::this_thread::get_id();
    parallel_for(10, 1, [&](int64_t, int64_t) {
      if (std::this_thread::get_id() != outer) ++wrong;
      ++total;
    });
    if (!in_parallel()) ++wrong;  // the inner loop must not end the outer one's scope
  });
  task_context().flags = 0;
  CHECK(wrong == 0);
  CHECK(total == 80);
}

TEST_CASE("parallel_for: loops started from several threads at once all finish") {
  const Threads scope(2);
  std::vector<std::thread> callers;
  std::atomic<int64_t> total{0};
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) parallel_for(64, 4, [&](int64_t begin, int64_t end) { total += end - begin; });
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(total == 4 * 50 * 64);
}

TEST_CASE("set_num_threads: refuses impossible counts") {
  CHECK_THROWS_WITH_AS(set_num_threads(0), "set_num_threads: count must be in [1, 1024] (0)", ValueError);
}

TEST_CASE("loops: a broadcast walk meets the same elements as plain nested loops") {
  const Threads scope(2);
  const int64_t a = 5, b = 70, c = 101;  // a * b * c > one chunk
  Tensor column = arange(0, b, 1, DType::f32).view_as({b, 1}, {1, 1}, 0);
  Tensor out = empty({a, b, c});
  const auto loop = make_loop<2>(out.shape(), {out.strides(), broadcast_strides(column, out.shape())});
  run_loop(loop, [&](const std::array<int64_t, 2>& at, int64_t count) {
    for (int64_t i = 0; i < count; ++i)
      out.mutable_data<float>()[at[0] + i * loop.strides[0].back()] =
          column.data<float>()[at[1] + i * loop.strides[1].back()];
  });
  for (int64_t i = 0; i < out.numel(); ++i) REQUIRE(out.data<float>()[i] == float(i / c % b));
}
