#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops/conv.h"
#include "autograd/ops/norm.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

struct Leaves {
  Variable x, scale, shift, weight, bias;
};

/// Which of the five are trained; `affine` and `with_bias` leave parameters out.
Leaves make_leaves(uint32_t trained, bool affine, bool with_bias) {
  const auto leaf = [&](int i, const Tensor& value) {
    return trained >> i & 1u ? Variable::leaf(value) : Variable(value);
  };
  Leaves leaves{leaf(0, channels_last(random_tensor({2, 4, 5, 3}, 1, DType::f32))), {}, {}, {}, {}};
  if (affine) leaves.scale = leaf(1, random_tensor({4}, 2, DType::f32));
  if (affine) leaves.shift = leaf(2, random_tensor({4}, 3, DType::f32));
  leaves.weight = leaf(3, random_tensor({6, 4, 3, 3}, 4, DType::f32));
  if (with_bias) leaves.bias = leaf(4, random_tensor({6}, 5, DType::f32));
  return leaves;
}

/// Bits of the result and of every gradient.
std::string run(const Leaves& l, const GroupNormOptions& norm, bool together) {
  const Conv2dOptions conv{.stride = {2, 1}, .padding = {1, 1}};
  const Variable y = together ? group_norm_conv2d(l.x, {l.scale, l.shift, norm}, {l.weight, l.bias, conv})
                              : conv2d(group_norm(l.x, l.scale, l.shift, norm), l.weight, l.bias, conv);
  std::string bits = bits_of(y.value());
  if (!y.requires_grad()) return bits;
  backward(y, {.grad = channels_last(random_tensor(y.shape(), 6, DType::f32))});
  for (const Variable* each : {&l.x, &l.scale, &l.shift, &l.weight, &l.bias})
    bits += each->requires_grad() ? bits_of(each->grad()) : "-";
  return bits;
}

}  // namespace

TEST_CASE("group_norm_conv2d: bits and gradients of the two ops, whichever are trained, with and without parameters") {
  for (const bool silu : {false, true})
    for (const bool affine : {false, true})
      for (const bool with_bias : {false, true})
        for (uint32_t trained = 0; trained < 32; ++trained) {
          const GroupNormOptions norm{.groups = 2, .silu = silu};
          CAPTURE(trained);
          CHECK(run(make_leaves(trained, affine, with_bias), norm, true) ==
                run(make_leaves(trained, affine, with_bias), norm, false));
        }
}

TEST_CASE("group_norm_conv2d: keeps x, and nothing else of its size") {
  const Leaves l = make_leaves(31, true, true);
  const GroupNormOptions norm{.groups = 2, .silu = true};
  const Conv2dOptions conv{};
  const Variable y = group_norm_conv2d(l.x, {l.scale, l.shift, norm}, {l.weight, l.bias, conv});
  int pictures = 0;
  for (const Node::SavedTensor& saved : y.node()->saved_tensors()) pictures += saved.tensor.shape() == l.x.shape();
  CHECK(pictures == 1);
  CHECK(y.node()->saved_tensors()[0].tensor.is_same(l.x.value()));
}
