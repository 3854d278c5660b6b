#include "engine/ops/attention/linear_attention.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "engine/allocator.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// The definition, weight by weight, in double. q: [T, d], k: [S, d], v: [S, e].
std::vector<double> plain(const Tensor& q, const Tensor& k, const Tensor& v) {
  const int64_t queries = q.size(0), keys = k.size(0), depth = q.size(1), width = v.size(1);
  const std::vector<double> a = q.to_vector<double>(), b = k.to_vector<double>(), c = v.to_vector<double>();
  std::vector<double> out(size_t(queries * width), 0);
  for (int64_t i = 0; i < queries; ++i) {
    double total = 1e-15;
    for (int64_t j = 0; j < keys; ++j) {
      double weight = 0;
      for (int64_t f = 0; f < depth; ++f)
        weight += std::max(0.0, a[size_t(i * depth + f)]) * std::max(0.0, b[size_t(j * depth + f)]);
      total += weight;
      for (int64_t e = 0; e < width; ++e) out[size_t(i * width + e)] += weight * c[size_t(j * width + e)];
    }
    for (int64_t e = 0; e < width; ++e) out[size_t(i * width + e)] /= total;
  }
  return out;
}

}  // namespace

TEST_CASE("linear_attention: the definition, for odd sizes, any memory order and every floating dtype") {
  for (const auto& [queries, keys, depth, width] :
       {std::array<int64_t, 4>{1, 1, 1, 1}, {5, 7, 3, 4}, {130, 33, 40, 17}, {3, 65, 32, 32}}) {
    const Tensor q = random_tensor({queries, depth}, 1), k = random_tensor({keys, depth}, 2),
                 v = random_tensor({keys, width}, 3);
    const std::vector<double> expected = plain(q, k, v);
    CHECK(worst_error(linear_attention(q, k, v).out, expected) <= 1e-11);
    CHECK(bits_of(linear_attention(reversed_memory(q), with_gaps(k), reversed_memory(v)).out) ==
          bits_of(linear_attention(q, k, v).out));
    for (const auto& [dtype, tolerance] : {std::pair{DType::f32, 1e-4}, {DType::bf16, 2e-2}, {DType::f16, 3e-3}}) {
      const Tensor a = q.to(dtype), b = k.to(dtype), c = v.to(dtype);
      const Tensor out = linear_attention(a, b, c).out;
      CHECK(out.dtype() == dtype);
      CHECK(worst_error(out, plain(a, b, c)) <= tolerance);
    }
  }
}

TEST_CASE("linear_attention: queries and keys without a positive feature, and no keys or queries at all, give zeros") {
  const Tensor q = random_tensor({2, 3, 4}), v = random_tensor({2, 5, 3}, 2);
  const std::vector<double> zeros_expected(18, 0);
  CHECK(linear_attention(q, full({2, 5, 4}, -1, DType::f64), v).out.to_vector<double>() == zeros_expected);
  CHECK(linear_attention(full({2, 3, 4}, 0, DType::f64), random_tensor({2, 5, 4}), v).out.to_vector<double>() ==
        zeros_expected);
  CHECK(linear_attention(q, zeros({2, 0, 4}, DType::f64), zeros({2, 0, 3}, DType::f64)).out.to_vector<double>() ==
        zeros_expected);
  CHECK(linear_attention(zeros({2, 0, 4}), zeros({2, 5, 4}), zeros({2, 5, 3})).out.shape() == Shape{2, 0, 3});
}

TEST_CASE("linear_attention: memory grows with the tokens, not their square; the same bits for any thread count") {
  const int64_t tokens = 4096;
  const Tensor q = random_tensor({2, tokens, 8}, 1, DType::f32), k = random_tensor({2, tokens, 8}, 2, DType::f32),
               v = random_tensor({2, tokens, 8}, 3, DType::f32);
  reset_peak_memory();
  const int64_t before = allocator_statistics().allocated_bytes;
  const LinearAttentionResult result = linear_attention(q, k, v);
  linear_attention_backward(v, {q, k, v, result});
  CHECK(allocator_statistics().peak_allocated_bytes - before < 16 * 2 * tokens * 9 * 4);
  const int threads = num_threads();
  set_num_threads(1);
  const std::string one = bits_of(linear_attention(q, k, v).out);
  set_num_threads(3);
  CHECK(bits_of(linear_attention(q, k, v).out) == one);
  set_num_threads(threads);
}

TEST_CASE("linear_attention: errors name the operands") {
  CHECK(message_of([] {
          linear_attention(zeros({2, 3}), zeros({4, 3}), zeros({5, 3}));
        }) == "linear_attention: k and v must have as many rows (4 and 5); k f32[4, 3], v f32[5, 3]");
  CHECK(message_of([] {
          linear_attention(zeros({2, 3}), zeros({4, 3}, DType::f64), zeros({4, 3}));
        }).starts_with("linear_attention: q, k and v must have one floating dtype; "));
}
