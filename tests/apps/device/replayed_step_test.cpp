// apps/common/step_graph.h: which steps run, which are replayed, and that nobody can tell from their results.

#include <doctest/doctest.h>

#include "apps/common/step_graph.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"

namespace plumb {
namespace {

constexpr Device kDevice{DeviceType::cuda, 0};

/// A step that draws, reads a row number, and keeps a running sum, as weights do.
struct Counted {
  explicit Counted(Device where) : device(where) {}

  Tensor operator()(int64_t step) {
    ++calls;
    const Tensor drawn = randn(RandomKey{.seed = 3}.at_step(uint64_t(step)), {4}, DType::f32, device);
    total.add_(drawn * input);
    return total * 2.0;
  }

  Device device;
  Tensor input = zeros({}, DType::f32, device), total = zeros({4}, DType::f32, device);
  int calls = 0;
};

}  // namespace

TEST_CASE("a replayed step: called three times and once for the capture, with the numbers of one that always runs") {
  Counted plain(kDevice), replayed(kDevice);
  StepGraph<Tensor> graph(kDevice, true);
  const int first = 0, second = 0;
  for (int64_t step = 40; step < 60; ++step) {
    for (Counted* each : {&plain, &replayed}) each->input.fill_(double(step % 7) - 3);
    const Tensor wanted = plain(step);
    // From step 50 on it is made of something else.
    const Tensor got = graph.run(step, step < 50 ? &first : &second, [&](int64_t drawn) { return replayed(drawn); });
    CHECK(got.to_vector<float>() == wanted.to_vector<float>());
    CHECK(replayed.total.to_vector<float>() == plain.total.to_vector<float>());
    const int64_t since = step < 50 ? step - 40 : step - 50;
    CHECK(replayed.calls == (step < 50 ? 0 : 4) + std::min<int64_t>(since + 1, 4));
  }
}

TEST_CASE("a replayed step: on the CPU every step runs") {
  Counted host(kCpu);
  StepGraph<Tensor> graph(kCpu, true);
  for (int64_t step = 0; step < 6; ++step) graph.run(step, &host, [&](int64_t drawn) { return host(drawn); });
  CHECK(host.calls == 6);
  CHECK(!StepGraph<Tensor>(kDevice, false).is_enabled());
}

TEST_CASE("a replayed step: one that needs the host is refused with its name when it would be captured") {
  Counted counted(kDevice);
  StepGraph<double> graph(kDevice, true);
  const auto reading = [&](int64_t step) { return counted(step).to_vector<double>().front(); };
  for (int64_t step = 0; step < 3; ++step) graph.run(step, &counted, reading);
  CHECK_THROWS_AS(graph.run(3, &counted, reading), Error);
}

}  // namespace plumb
