#include "engine/packed_cache.h"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "engine/allocator.h"
#include "engine/error.h"
#include "engine/isa/kernels.h"
#include "engine/ops/layout/view.h"
#include "engine/ops/linalg/linear.h"
#include "engine/ops/optim/sgd.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// An empty cache, and the default limit again afterwards. A processor without our kernels has nothing to test.
struct Fresh {
  Fresh() { clear_packed_cache(); }
  ~Fresh() {
    set_packed_cache_limit(kDefaultPackedCacheBytes);
    clear_packed_cache();
  }
};
bool has_kernels() { return kernels().gemm.tile != nullptr; }

int64_t packs() { return packed_cache_statistics().packs; }
int64_t hits() { return packed_cache_statistics().hits; }
int64_t matrices() { return packed_cache_statistics().matrices; }

Tensor random32(const Shape& shape, uint64_t seed) { return random_tensor(shape, seed, DType::f32); }

/// linear of a fresh copy of the weight, which no cache knows.
std::string expected(const Tensor& x, const Tensor& weight) { return bits_of(linear(x, weight.clone())); }

}  // namespace

TEST_CASE("packed cache: packs a weight that is met again, then finds it, and never changes a bit") {
  if (!has_kernels()) return;
  const Fresh fresh;
  const Tensor x = random32({20, 70}, 1), weight = random32({90, 70}, 2);
  const std::string first = bits_of(linear(x, weight));
  const int64_t packs_before = packs(), hits_before = hits(), allocated = allocator_statistics().allocated_bytes;
  CHECK(matrices() == 0);
  CHECK(bits_of(linear(x, weight)) == first);
  CHECK(packs() == packs_before + 1);
  CHECK(hits() == hits_before);
  const PackedCacheStatistics held = packed_cache_statistics();
  CHECK(held.matrices == 1);
  CHECK(held.bytes >= 4 * 90 * 70);
  CHECK(allocator_statistics().allocated_bytes >= allocated + held.bytes);
  for (int i = 0; i < 3; ++i) CHECK(bits_of(linear(x, weight)) == first);
  CHECK(hits() == hits_before + 3);
  CHECK(packs() == packs_before + 1);
  CHECK(first == expected(x, weight));
}

TEST_CASE("packed cache: a weight that changes every step is never packed") {
  if (!has_kernels()) return;
  const Fresh fresh;
  const Tensor x = random32({20, 70}, 1);
  Tensor weight = random32({90, 70}, 2);
  const int64_t before = packs();
  for (int i = 0; i < 5; ++i) {
    CHECK(bits_of(linear(x, weight)) == expected(x, weight));
    weight.mul_(0.9);
  }
  CHECK(packs() == before);
}

TEST_CASE("packed cache: writes through the tensor, through a view or by an optimiser are seen") {
  if (!has_kernels()) return;
  const Fresh fresh;
  const Tensor x = random32({20, 70}, 1);
  Tensor weight = random32({90, 70}, 2), row = slice(weight, 0, 3, 4), grad = random32({90, 70}, 3);
  Tensor whole = random32({200, 70}, 4), part = slice(whole, 0, 100, 190);
  auto use = [&](const Tensor& w) {
    for (int i = 0; i < 3; ++i) CHECK(bits_of(linear(x, w)) == expected(x, w));
  };
  use(weight);
  use(part);
  weight.add_(grad, -0.1);
  use(weight);
  row.fill_(1);
  use(weight);
  whole.mul_(2);
  use(part);
  const StepControl control{.learning_rate = scalar(0.1, DType::f64), .step = scalar(1, DType::f64), .skip = {}};
  UpdateTensors update{
      .weight = reshape(weight, {6300}), .value = {}, .grad = reshape(grad, {6300}), .state1 = zeros({6300})};
  sgd_step(update, control, {.momentum = 0.9});
  use(weight);
  CHECK(hits() > 0);
}

TEST_CASE("packed cache: views of one storage, and both ways of reading a matrix, are told apart") {
  if (!has_kernels()) return;
  const Fresh fresh;
  const Tensor both = random32({140, 70}, 1), x = random32({20, 70}, 2), square = random32({70, 70}, 3);
  const Tensor upper = slice(both, 0, 0, 70), lower = slice(both, 0, 70, 140), turned = transpose(square, 0, 1);
  const Tensor narrow = slice(both, 1, 0, 64), narrow_x = random32({20, 64}, 4);
  for (int i = 0; i < 3; ++i) {
    for (const Tensor& w : {upper, lower, square, turned}) CHECK(bits_of(linear(x, w)) == expected(x, w.contiguous()));
    CHECK(bits_of(linear(narrow_x, narrow)) == expected(narrow_x, narrow));
  }
}

TEST_CASE("packed cache: what a dead storage left is gone, also when its address comes back") {
  if (!has_kernels()) return;
  const Fresh fresh;
  const Tensor x = random32({20, 70}, 1);
  int came_back = 0;
  const void* address = nullptr;
  for (uint64_t seed = 0; seed < 6; ++seed) {
    const Tensor weight = random32({90, 70}, 10 + seed);
    came_back += weight.raw_data() == address ? 1 : 0;
    address = weight.raw_data();
    CHECK(matrices() == 0);
    for (int i = 0; i < 3; ++i) {
      const std::vector<double> y = linear(x, weight).to_vector<double>();
      CHECK(worst_error(linear(x.to(DType::f64), weight.to(DType::f64)), y) < 1e-5);
    }
    CHECK(matrices() == 1);
  }
  CHECK(came_back > 0);
  CHECK(packed_cache_statistics().bytes == 0);
}

TEST_CASE("packed cache: stays within its limit and drops what was used longest ago") {
  if (!has_kernels()) return;
  const Fresh fresh;
  const Tensor x = random32({20, 64}, 1), a = random32({64, 64}, 2), b = random32({64, 64}, 3),
               c = random32({64, 64}, 4);
  const int64_t one = 4 * 64 * 64;
  set_packed_cache_limit(2 * one);
  auto use = [&](const Tensor& w) { CHECK(bits_of(linear(x, w)) == expected(x, w)); };
  for (const Tensor& w : {a, a, b, b, a, c, c}) use(w);
  CHECK(packed_cache_statistics().bytes == 2 * one);
  const int64_t before = hits();
  use(a);  // b had to go
  use(c);
  CHECK(hits() == before + 2);
  use(b);
  CHECK(hits() == before + 2);
  set_packed_cache_limit(one);
  CHECK(packed_cache_statistics().bytes <= one);
  set_packed_cache_limit(0);
  CHECK(packed_cache_statistics().bytes == 0);
  const int64_t packed = packs();
  for (int i = 0; i < 3; ++i) use(a);
  CHECK(packs() == packed);
  CHECK_THROWS_WITH_AS(set_packed_cache_limit(-1), "set_packed_cache_limit: bytes must not be negative (-1)",
                       ValueError);
}

TEST_CASE("packed cache: threads share it") {
  if (!has_kernels()) return;
  const Fresh fresh;
  const Tensor x = random32({20, 70}, 1), weight = random32({90, 70}, 2);
  const std::string right = expected(x, weight);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (size_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        wrong[t] += bits_of(linear(x, weight)) != right ? 1 : 0;
        const Tensor own = random32({40, 70}, t);
        wrong[t] += bits_of(linear(x, own)) != bits_of(linear(x, own)) ? 1 : 0;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4, 0));
  CHECK(matrices() == 1);
}
