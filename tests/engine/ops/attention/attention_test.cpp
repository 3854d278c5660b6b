#include "engine/ops/attention/attention.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/allocator.h"
#include "engine/ops.h"
#include "engine/ops/attention/attention_reference.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

struct Sizes {
  int64_t queries, keys, d, dv;
};

}  // namespace

TEST_CASE("attention: agrees with the definition, forward and backward, in every size, block boundary and dtype") {
  for (const Sizes& s : {Sizes{1, 1, 1, 1},
                         {3, 5, 4, 2},
                         {64, 512, 8, 8},
                         {65, 513, 40, 40},
                         {130, 77, 33, 7},
                         {17, 1100, 5, 20},
                         {200, 200, 16, 80}})
    for (const bool causal : {false, true})
      for (const DType dtype : {DType::f64, DType::f32}) {
        const Tensor q = random_tensor({2, s.queries, s.d}, 1, dtype), k = random_tensor({2, s.keys, s.d}, 2, dtype),
                     v = random_tensor({2, s.keys, s.dv}, 3, dtype);
        const AttentionResult r = attention(q, k, v, {.causal = causal});
        const AttentionResult expected = reference::attention(q, k, v, {.causal = causal});
        const double tolerance = dtype == DType::f64 ? 1e-13 : 5e-6;
        CHECK(worst_error(r.out, expected.out.to_vector<double>()) <= tolerance);
        CHECK(worst_error(r.lse, expected.lse.to_vector<double>()) <= tolerance);
        const Tensor g = random_tensor(r.out.shape(), 4, dtype);
        const AttentionGrads grads = attention_backward(g, {q, k, v, r, {.causal = causal}});
        const AttentionGrads right = reference::attention_backward(g, q, k, v, {.causal = causal});
        CHECK(worst_error(grads.q, right.q.to_vector<double>()) <= 4 * tolerance);
        CHECK(worst_error(grads.k, right.k.to_vector<double>()) <= 4 * tolerance);
        CHECK(worst_error(grads.v, right.v.to_vector<double>()) <= 4 * tolerance);
        CHECK(r.out.dtype() == dtype);
        CHECK(r.lse.shape() == Shape{2, s.queries});
      }
}

TEST_CASE("attention: lse is the logarithm of the sum of exponentials") {
  const Tensor q = random_tensor({70, 3}, 1), k = random_tensor({600, 3}, 2), v = random_tensor({600, 1}, 3);
  const Tensor scores = mul(matmul(q, transpose(k, 0, 1)), scalar(0.7, DType::f64));
  CHECK(worst_error(attention(q, k, v, {.scale = 0.7}).lse, logsumexp(scores, {1}).to_vector<double>()) <= 1e-13);
}

TEST_CASE("attention: scores of 1e4, negative and zero scales, causal or not") {
  for (const DType dtype : {DType::f64, DType::f32})
    for (const bool causal : {false, true}) {
      const Tensor q = random_tensor({80, 8}, 1, dtype), k = random_tensor({600, 8}, 2, dtype),
                   v = random_tensor({600, 4}, 3, dtype);
      for (const double scale : {1e3, -1e3, 0.0, -0.5}) {
        // A score of 1e4 is right to 1e-3 in float, and so are the probabilities.
        const double tolerance = dtype == DType::f64 ? 1e-11 : std::abs(scale) > 1 ? 2e-2 : 2e-6;
        CHECK(worst_error(attention(q, k, v, {causal, scale}).out,
                          reference::attention(q, k, v, {causal, scale}).out.to_vector<double>()) <= tolerance);
      }
    }
}

TEST_CASE("attention: heads permuted out of one projection are read where they lie, with the same bits") {
  const Tensor qkv = random_tensor({2, 70, 3, 4, 8}, 1, DType::f32);  // [B, T, {q, k, v}, heads, d]
  const auto heads = [&](int64_t which) { return permute(select(qkv, 2, which), {0, 2, 1, 3}); };
  const Tensor q = heads(0), k = heads(1), v = heads(2);
  REQUIRE(!q.is_contiguous());
  const AttentionResult expected = attention(q.contiguous(), k.contiguous(), v.contiguous());
  release_cached_memory();
  reset_peak_memory();
  const int64_t before = allocator_statistics().allocated_bytes;
  const AttentionResult got = attention(q, k, v);
  // out and lse, scratch of a few threads; copies of q, k and v would add 107 KiB.
  CHECK(allocator_statistics().peak_allocated_bytes - before < (int64_t(36) + 40 * num_threads()) * 1024 + 40000);
  CHECK(bits_of(got.out) == bits_of(expected.out));
  CHECK(bits_of(got.lse) == bits_of(expected.lse));
  for (const auto& layout : {reversed_memory, with_gaps})
    CHECK(bits_of(attention(layout(q), layout(k), layout(v), {.causal = true}).out) ==
          bits_of(attention(q.contiguous(), k.contiguous(), v.contiguous(), {.causal = true}).out));
}

TEST_CASE("attention: memory grows with the number of rows, not with its square") {
  const int64_t rows = 2048, depth = 16, square = rows * rows * 4;  // a T x T buffer would be 16 MiB
  const Tensor q = random_tensor({rows, depth}, 1, DType::f32), g = random_tensor({rows, depth}, 2, DType::f32);
  const auto peak_of = [](auto&& call) {
    release_cached_memory();
    reset_peak_memory();
    const int64_t before = allocator_statistics().allocated_bytes;
    call();
    return allocator_statistics().peak_allocated_bytes - before;
  };
  AttentionResult result;
  CHECK(peak_of([&] { result = attention(q, q, q); }) < square / 8);
  CHECK(peak_of([&] { attention_backward(g, {q, q, q, result, {}}); }) < square / 8);
}

TEST_CASE("attention: the number of threads does not change the bits, forward or backward") {
  const int before = num_threads();
  for (const Shape& lead : {Shape{1}, Shape{2, 3}}) {
    Shape shape = lead;
    shape.push_back(300);
    shape.push_back(20);
    for (const DType dtype : {DType::f32, DType::f64}) {
      const Tensor q = random_tensor(shape, 1, dtype), k = random_tensor(shape, 2, dtype),
                   v = random_tensor(shape, 3, dtype), g = random_tensor(shape, 4, dtype);
      std::string first;
      for (const int threads : {1, 2, 3, 8}) {
        set_num_threads(threads);
        const AttentionResult r = attention(q, k, v, {.causal = true});
        const AttentionGrads grads = attention_backward(g, {q, k, v, r, {.causal = true}});
        const std::string bits =
            bits_of(r.out) + bits_of(r.lse) + bits_of(grads.q) + bits_of(grads.k) + bits_of(grads.v);
        if (first.empty()) first = bits;
        CHECK((bits == first));
      }
    }
  }
  set_num_threads(before);
}

TEST_CASE("attention: 16 bits are computed in f32 and rounded once") {
  for (const DType dtype : {DType::bf16, DType::f16}) {
    const Tensor q = random_tensor({2, 9, 6}, 1, dtype), k = random_tensor({2, 11, 6}, 2, dtype),
                 v = random_tensor({2, 11, 3}, 3, dtype);
    const Tensor wide = attention(q.to(DType::f32), k.to(DType::f32), v.to(DType::f32)).out;
    const AttentionResult r = attention(q, k, v);
    CHECK(bits_of(r.out) == bits_of(wide.to(dtype)));
    CHECK(r.lse.dtype() == DType::f32);
    CHECK(attention_backward(r.out, {q, k, v, r, {}}).k.dtype() == dtype);
  }
}

TEST_CASE("attention: no keys give zeros, no queries or batch nothing, one key its value") {
  CHECK(attention(ones({2, 3, 4}), zeros({2, 0, 4}), zeros({2, 0, 5})).out.to_vector<double>() ==
        std::vector<double>(30, 0));
  CHECK(attention(zeros({0, 4}), ones({3, 4}), ones({3, 5})).out.shape() == Shape{0, 5});
  CHECK(attention(zeros({0, 2, 4}), ones({0, 3, 4}), ones({0, 3, 5})).out.shape() == Shape{0, 2, 5});
  CHECK(attention(zeros({2, 0}), zeros({3, 0}), from_vector<float>({1, 2, 6}, {3, 1})).out.to_vector<double>() ==
        std::vector<double>{3, 3});
  CHECK(attention(random_tensor({4, 2}), random_tensor({1, 2}), full({1, 3}, 7, DType::f64)).out.to_vector<double>() ==
        std::vector<double>(12, 7));
  const AttentionGrads none = attention_backward(
      ones({3, 5}),
      {ones({3, 4}), zeros({0, 4}), zeros({0, 5}), attention(ones({3, 4}), zeros({0, 4}), zeros({0, 5})), {}});
  CHECK(none.q.to_vector<double>() == std::vector<double>(12, 0));
  CHECK(none.v.shape() == Shape{0, 5});
}

TEST_CASE("attention: error texts") {
  const Tensor x = zeros({2, 3, 4});
  CHECK(message_of([&] { attention(zeros({4}), zeros({4}), zeros({4})); }) ==
        "attention: q, k and v must be [..., T, d] of one rank; q f32[4], k f32[4], v f32[4]");
  CHECK(message_of([&] {
          attention(x, zeros({1, 3, 4}), x);
        }) == "attention: batch dimensions must be equal; q f32[2, 3, 4], k f32[1, 3, 4], v f32[2, 3, 4]");
  CHECK(message_of([&] {
          attention(x, zeros({2, 3, 5}), x);
        }) == "attention: q and k must have one head dimension (4 and 5); q f32[2, 3, 4], k f32[2, 3, 5]");
  CHECK(message_of([&] {
          attention(x, x, zeros({2, 5, 4}));
        }) == "attention: k and v must have as many rows (3 and 5); k f32[2, 3, 4], v f32[2, 5, 4]");
  CHECK(message_of([&] { attention(x, x.to(DType::f64), x); }) ==
        "attention: q, k and v must have one floating dtype; q f32[2, 3, 4], k f64[2, 3, 4], v f32[2, 3, 4]");
}
