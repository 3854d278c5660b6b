// Capture and replay on the emulated device; see step_graph_test.cpp in tests/apps/device for training steps.

#include "engine/cuda/graph.h"

#include <doctest/doctest.h>

#include <optional>
#include <stdexcept>

#include "engine/cuda/capture.h"
#include "engine/cuda/memory.h"
#include "engine/cuda/transfer.h"
#include "engine/error.h"
#include "engine/ops/elementwise/binary.h"
#include "engine/ops/linalg/matmul.h"
#include "engine/ops/random/dropout.h"
#include "engine/ops/random/random.h"
#include "engine/random/step_scope.h"
#include "tests/support/cuda_emulator/device_memory.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

using test::bits_of;
using test::message_of;

constexpr Device kDevice{DeviceType::cuda, 0};

Tensor numbers(double first) {
  return from_vector<double>({first, first + 1, first + 2, first + 3}, {2, 2}).to(kDevice);
}

int64_t held() { return allocator_statistics(kDevice).reserved_bytes; }
int64_t in_use() { return allocator_statistics(kDevice).allocated_bytes; }

}  // namespace

TEST_CASE("graph: a replay does the work again on what its inputs hold then") {
  Tensor x = numbers(1), total = zeros({2, 2}, DType::f64, kDevice), product;
  const auto step = [&] {
    product = matmul(x, x);
    total.add_(product);
  };
  step();
  CudaGraph graph;
  CHECK_FALSE(graph.is_captured());
  graph.capture(kDevice, step);
  CHECK(graph.is_captured());
  CHECK(graph.nodes() >= 2);
  CHECK(total.to_vector<double>() == std::vector<double>{7, 10, 15, 22});  // nothing was done
  graph.replay();
  CHECK(total.to_vector<double>() == std::vector<double>{14, 20, 30, 44});
  x.copy_(from_vector<double>({0, 1, 1, 0}, {2, 2}));
  graph.replay();
  graph.replay();
  CHECK(product.to_vector<double>() == std::vector<double>{1, 0, 0, 1});
  CHECK(total.to_vector<double>() == std::vector<double>{16, 20, 30, 46});
}

TEST_CASE("graph: what needs the CPU is refused by name, and the capture ends cleanly") {
  Tensor x = numbers(1), host = from_vector<double>({1, 2, 3, 4}, {2, 2});
  const auto message = [&](const std::function<void()>& call) {
    CudaGraph graph;
    const std::string text = message_of([&] { graph.capture(kDevice, [&] { x.add_(x), call(); }); });
    CHECK_FALSE(graph.is_captured());
    CHECK_FALSE(is_capturing());
    return text;
  };
  const std::string end = "; do it before the capture or between replays";
  CHECK(message([&] { (void)scalar(1, DType::f64, kDevice).item(); }) ==
        "item: a captured step must not read what the device computes" + end);
  CHECK(message([&] { (void)x.to_vector<double>(); }) ==
        "to_vector: a captured step must not read what the device computes" + end);
  CHECK(message([&] { (void)x.to(kCpu); }) == "to: a captured step must not copy between the CPU and a device" + end);
  CHECK(message([&] { x.copy_(host); }) == "to: a captured step must not copy between the CPU and a device" + end);
  CHECK(message([&] { synchronize(kDevice); }) == "synchronize: a captured step must not wait for the device" + end);
  CHECK(message([&] { CudaGraph().capture(kDevice, [] {}); }) ==
        "CudaGraph: a captured step must not begin another capture" + end);
  CHECK(message([] { throw std::runtime_error("mine"); }) == "mine");
  CHECK(x.to_vector<double>() == std::vector<double>{1, 2, 3, 4});
  CHECK(message_of([] { CudaGraph().replay(); }) == "CudaGraph: replay needs a capture first");
  x.add_(x);
  CHECK(x.to_vector<double>() == std::vector<double>{2, 4, 6, 8});
}

TEST_CASE("graph: its memory is its own: two graphs and the work beside them do not disturb each other") {
  Tensor x = numbers(1), y = numbers(5), first_result, second_result;
  CudaGraph first, second;
  first.capture(kDevice, [&] { first_result = add(add(x, x), x); });
  second.capture(kDevice, [&] { second_result = mul(add(y, y), y); });
  first.replay();
  second.replay();
  const std::string first_bits = bits_of(first_result.to(kCpu)), second_bits = bits_of(second_result.to(kCpu));
  CHECK(first_result.to_vector<double>() == std::vector<double>{3, 6, 9, 12});
  CHECK(second_result.to_vector<double>() == std::vector<double>{50, 72, 98, 128});
  for (int i = 0; i < 20; ++i) {  // takes every block the cache would give
    const Tensor a = full({2, 2}, i, DType::f64, kDevice), b = add(a, a), c = add(b, a);
    CHECK(bits_of(first_result.to(kCpu)) == first_bits);
  }
  first.replay();
  CHECK(bits_of(first_result.to(kCpu)) == first_bits);
  CHECK(bits_of(second_result.to(kCpu)) == second_bits);
}

TEST_CASE("graph: its memory counts in the statistics, goes back with it, and results outlive it") {
  release_cached_memory(kDevice);
  const int64_t before = held(), used = in_use();
  Tensor x = zeros({1000}, DType::f64, kDevice);
  const int64_t with_x = in_use() - used;
  Tensor result;
  {
    CudaGraph graph;
    graph.capture(kDevice, [&] { result = add(add(x, x), add(x, x)); });
    CHECK(in_use() - used == 2 * with_x);
    CHECK(graph.pool_bytes() >= 2 * with_x);
    CHECK(held() - before == with_x + graph.pool_bytes());
    x.fill_(2);
    graph.replay();
  }
  CHECK(held() - before == 2 * with_x);
  CHECK(result.to_vector<double>()[999] == 8);
  result = Tensor();
  CHECK(held() - before == with_x);
  // What is freed inside stays with the graph.
  CudaGraph graph;
  std::optional<Tensor> gone = full({1000}, 3, DType::f64, kDevice);
  graph.capture(kDevice, [&] {
    result = add(*gone, x);
    gone.reset();
  });
  const Tensor other = full({1000}, 5, DType::f64, kDevice);
  graph.replay();
  CHECK(result.to_vector<double>()[0] == 5);
}

TEST_CASE("graph: out of memory in a capture names sizes and leaves everything usable") {
  release_cached_memory(kDevice);
  Tensor x = zeros({1000}, DType::f64, kDevice), kept;
  const int64_t before = held(), used = in_use();
  for (const bool by_cap : {true, false}) {
    if (by_cap)
      set_cuda_memory_cap(kDevice, before + 20'000);
    else
      emulator::set_device_bytes(emulator::device_bytes_in_use() + 20'000);
    CudaGraph graph;
    const auto step = [&] {
      kept = add(x, x);
      kept = add(add(kept, x), add(kept, x));
    };
    const std::string message = message_of([&] { graph.capture(kDevice, step); });
    CHECK(message.find("allocate: out of memory on cuda:0 (8000 bytes asked for, ") == 0);
    CHECK_FALSE(graph.is_captured());
    kept = Tensor();
    set_cuda_memory_cap(kDevice, 0);
    emulator::set_device_bytes(emulator::kDeviceBytes);
    CHECK(in_use() == used);
    release_cached_memory(kDevice);
    CHECK(held() == before);
    graph.capture(kDevice, step);
    x.fill_(1);
    graph.replay();
    CHECK(kept.to_vector<double>()[7] == 6);
    kept = Tensor();
  }
}

TEST_CASE("eager: out of memory half way through is an error, and a smaller step works") {
  release_cached_memory(kDevice);
  set_cuda_memory_cap(kDevice, held() + 5 * 8192);
  const auto step = [](int64_t count) {
    const Tensor x = ones({count}, DType::f64, kDevice), y = add(x, x);
    const Tensor z = add(y, y);
    return add(add(z, y), add(z, x)).to_vector<double>()[0];
  };
  CHECK(message_of([&] { step(1500); }).find("out of memory on cuda:0") != std::string::npos);
  CHECK(step(500) == 11);
  set_cuda_memory_cap(kDevice, 0);
  CHECK(step(1500) == 11);
}

TEST_CASE("random step: draws on a device, eager and replayed, are the CPU's at the sum of both steps") {
  const RandomKey key = RandomKey{.seed = 5}.fork("noise").at_step(3);
  Tensor step = scalar(0, DType::i64, kDevice), normal, uniform, integers, dropped;
  const Tensor ones_there = ones({40, 5}, DType::f32, kDevice);
  const auto draw = [&](Device device, const Tensor& x, const RandomKey& from) {
    normal = randn(from, {7, 9}, DType::f64, device);
    uniform = rand(from, {7, 9}, DType::f32, device);
    integers = randint(from, -5, 1000, {33}, device);
    dropped = dropout(x, 0.5, from);
    return [&] {
      return bits_of(normal.to(kCpu)) + bits_of(uniform.to(kCpu)) + bits_of(integers.to(kCpu)) +
             bits_of(dropped.to(kCpu));
    };
  };
  CudaGraph graph;
  for (const int64_t offset : {int64_t(0), int64_t(1), int64_t(77), (int64_t(1) << 40)}) {
    const std::string expected = draw(kCpu, ones_there.to(kCpu), key.at_step(3 + uint64_t(offset)))();
    Tensor on_cpu = from_vector<int64_t>({offset}, {});
    step.copy_(on_cpu);
    {
      const RandomStepScope scope(step);
      CHECK(draw(kDevice, ones_there, key)() == expected);
    }
    {
      const RandomStepScope scope(on_cpu);
      CHECK(draw(kCpu, ones_there.to(kCpu), key)() == expected);
      CHECK(draw(kDevice, ones_there, key.at_step(3 + uint64_t(offset)))() == expected);  // not that device's step
    }
    graph.capture(kDevice, [&] {
      const RandomStepScope scope(step);
      draw(kDevice, ones_there, key);
    });
    graph.replay();
    const Tensor results[] = {normal, uniform, integers, dropped};
    std::string bits;
    for (const Tensor& result : results) bits += bits_of(result.to(kCpu));
    CHECK(bits == expected);
    // Another step without another capture.
    step.copy_(from_vector<int64_t>({offset + 5}, {}));
    graph.replay();
    bits.clear();
    for (const Tensor& result : results) bits += bits_of(result.to(kCpu));
    CHECK(bits == draw(kCpu, ones_there.to(kCpu), key.at_step(8 + uint64_t(offset)))());
  }
  CHECK_THROWS_AS(RandomStepScope(scalar(0, DType::f32)), DTypeError);
  CHECK_THROWS_AS(RandomStepScope(zeros({2}, DType::i64)), ShapeError);
}

}  // namespace plumb
