#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/error.h"
#include "engine/isa/kernels.h"
#include "engine/ops/elementwise/activate.h"
#include "engine/ops/elementwise/binary.h"
#include "engine/ops/elementwise/unary.h"
#include "engine/ops/layout/view.h"
#include "engine/ops/linalg/linear.h"
#include "engine/packed_gemm.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

constexpr FusedActivation kAll[] = {FusedActivation::none, FusedActivation::relu, FusedActivation::silu,
                                    FusedActivation::gelu, FusedActivation::gelu_tanh};

/// The derivative at x as the separate op computes it.
Tensor derivative_at(const Tensor& x, FusedActivation activation) {
  const Tensor one = full(x.shape(), 1, x.dtype());
  if (activation == FusedActivation::silu) return silu_backward(one, x);
  return gelu_backward(one, x, activation == FusedActivation::gelu ? GeluForm::exact : GeluForm::tanh);
}

}  // namespace

TEST_CASE("linear_act: has the bits of the two ops, for every activation, shape and layout") {
  // Shapes of our own kernels with remainders in every direction and several blocks of depth, and those of BLAS.
  for (const Shape& shape : {Shape{33, 40, 70}, Shape{14, 32, 16}, Shape{29, 45, 600}, Shape{300, 130, 66},
                             Shape{2, 128, 64}, Shape{50, 2, 128}, Shape{9, 20, 3}, Shape{1, 1, 1}})
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16})
      for (const FusedActivation activation : kAll) {
        const Tensor x = random_tensor({shape[0], shape[2]}, 1, dtype);
        const Tensor weight = random_tensor({shape[1], shape[2]}, 2, dtype), bias = random_tensor({shape[1]}, 3, dtype);
        const Tensor plain = linear(x, weight, bias);
        CAPTURE(int(activation));
        CHECK(bits_of(linear_act(x, weight, bias, activation)) == bits_of(activate(plain, activation)));
        CHECK(bits_of(linear_act(reversed_memory(x), with_gaps(weight), Tensor(), activation)) ==
              bits_of(activate(linear(reversed_memory(x), with_gaps(weight)), activation)));
        if (dtype == DType::bf16 || activation == FusedActivation::none || activation == FusedActivation::relu)
          continue;
        Tensor derivative;
        CHECK(bits_of(linear_act(x, weight, bias, activation, derivative)) == bits_of(activate(plain, activation)));
        CHECK(bits_of(derivative) == bits_of(derivative_at(plain, activation)));
      }
}

TEST_CASE("linear_act: every instruction set has the bits of the functors over all of float's range") {
  // One column of ones times x gives x; -0 becomes 0 in the sum.
  constexpr int64_t kRows = 4096, kColumns = 45;
  std::vector<float> x;
  for (uint64_t bits = 0; x.size() < size_t(kRows * kColumns); bits += (uint64_t(1) << 32) / (kRows * kColumns - 8))
    x.push_back(std::bit_cast<float>(uint32_t(bits)));
  const std::vector<float> hard{0.0f, 88.7f, -88.8f, 103.9f, -104.1f, 1e-40f, 87.4f, -87.3f};
  std::copy(hard.begin(), hard.end(), x.begin());
  const std::vector<float> one{1}, zero(size_t(kColumns), 0.0f);
  for (const char* name : {"avx2", "avx512"}) {
    const Kernels* isa = find_kernels(name);
    if (!isa) continue;
    for (const FusedActivation activation : kAll) {
      std::vector<float> expected(x.size()), got(x.size()), derivative(x.size(), 7.0f);
      for (size_t i = 0; i < x.size(); ++i) expected[i] = x[i] + 0.0f;
      const Tensor input = from_vector(expected, {kRows, kColumns});
      // x as b, one row of it a product: a = [1].
      for (int64_t i = 0; i < kRows; ++i)
        packed_gemm(isa->gemm, {1, kColumns, 1}, {one.data(), 1}, {x.data() + i * kColumns, kColumns},
                    {.data = got.data() + i * kColumns,
                     .ld = kColumns,
                     .activation = activation,
                     .derivative = activation == FusedActivation::relu ? nullptr : derivative.data() + i * kColumns});
      auto same = [](const std::vector<float>& a, const Tensor& b) {
        int64_t different = 0;
        for (size_t i = 0; i < a.size(); ++i) {
          const float other = b.data<float>()[i];
          if (std::isnan(a[i]) && std::isnan(other)) continue;
          different += std::bit_cast<uint32_t>(a[i]) != std::bit_cast<uint32_t>(other) ? 1 : 0;
        }
        return different == 0;
      };
      CAPTURE(std::string(name));
      CAPTURE(int(activation));
      CHECK(same(got, activate(input, activation)));
      if (activation == FusedActivation::silu || activation >= FusedActivation::gelu)
        CHECK(same(derivative, derivative_at(input, activation)));
    }
  }
}

TEST_CASE("linear_act: backward multiplies and sums as the two ops, in place or not") {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Shape& shape :
         {Shape{1, 1}, Shape{3, 5}, Shape{7, 40}, Shape{128, 17}, Shape{131, 64}, Shape{700, 130}}) {
      Tensor grad = random_tensor(shape, 1, dtype), out = empty(shape, dtype);
      const Tensor derivative = random_tensor(shape, 2, dtype), product = mul(grad, derivative);
      const std::string sum = bits_of(linear_backward_bias(product));
      CHECK(bits_of(linear_act_backward(grad, derivative, out)) == sum);
      CHECK(bits_of(out) == bits_of(product));
      const int before = num_threads();
      set_num_threads(3);
      CHECK(bits_of(linear_act_backward(grad, derivative, grad)) == sum);
      set_num_threads(before);
      CHECK(bits_of(grad) == bits_of(product));
    }
  Tensor none = empty({0, 3});
  CHECK(linear_act_backward(none, none, none).to_vector<double>() == std::vector<double>(3, 0));
}

TEST_CASE("linear_act: errors name the operands") {
  Tensor derivative, out = empty({2, 3});
  CHECK_THROWS_WITH_AS(linear_act(ones({2, 3}), ones({4, 3}), Tensor(), FusedActivation::relu, derivative),
                       "linear_act: keeps the derivative of silu and gelu alone; f32[2, 3]", ValueError);
  CHECK_THROWS_WITH_AS(
      linear_act(ones({2, 3}, DType::bf16), ones({4, 3}, DType::bf16), Tensor(), FusedActivation::silu, derivative),
      "linear_act: keeps the derivative of f32 or f64; bf16[2, 3]", DTypeError);
  CHECK_THROWS_WITH_AS(
      linear_act_backward(ones({2, 3}), ones({2, 4}), out),
      "linear_act_backward: gradient, derivative and result must have one shape; f32[2, 3], f32[2, 4], f32[2, 3]",
      ShapeError);
}
