#include <doctest/doctest.h>

#include "engine/ops/layout/view.h"
#include "engine/ops/resize/interpolate_bilinear_kernels.h"
#include "engine/ops/resize/pool_kernels.h"
#include "tests/engine/cuda/both_orders.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

using test::bits_of;
using Kind = PixelRule::Kind;

constexpr DType kTypes[] = {DType::f32, DType::f64, DType::bf16, DType::f16};

/// An image without values, in one of the two orders.
Tensor image(const Shape& s, DType dtype, bool channels_last) {
  Tensor memory = empty(channels_last ? Shape{s[0], s[2], s[3], s[1]} : s, dtype);
  for (int64_t i = 0; i < memory.numel() * size_of(dtype); ++i)
    static_cast<char*>(memory.raw_mutable_data())[i] = char(0xff);
  return channels_last ? permute(memory, {0, 3, 1, 2}) : memory;
}

void check_pool(DType dtype, int64_t channels, const PixelRules& rules, bool channels_last) {
  CAPTURE(channels);
  CAPTURE(int(rules.rows.kind));
  const Shape in{2, channels, rules.rows.in, rules.columns.in}, out{2, channels, rules.rows.out, rules.columns.out};
  const auto filled = [&](const Shape& shape, uint64_t seed) {
    return image(shape, dtype, channels_last).copy_(test::random_tensor(shape, seed, dtype));
  };
  const Tensor x = filled(in, 1), grad = filled(out, 2);
  Tensor y = image(out, dtype, channels_last), expected = image(out, dtype, channels_last);
  pool_kernel(Cpu{}, x, rules, expected);
  pool_kernel(Cuda{}, x, rules, y);
  CHECK(bits_of(y) == bits_of(expected));
  Tensor grad_x = image(in, dtype, channels_last), expected_grad = image(in, dtype, channels_last);
  pool_backward_kernel(Cpu{}, grad, rules, expected_grad);
  pool_backward_kernel(Cuda{}, grad, rules, grad_x);
  CHECK(bits_of(grad_x) == bits_of(expected_grad));
}

PixelRules window(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding) {
  const PixelRule rule{Kind::window, in, out, kernel, stride, padding};
  return {rule, rule};
}

}  // namespace

TEST_CASE("pooling and nearest and area resizing on cuda: the CPU's bits, both memory orders, packs and odd channels") {
  const PixelRules all[] = {
      window(6, 3, 2, 2, 0),                                     // the usual
      window(7, 7, 3, 1, 1),                                     // overlapping, padded
      window(9, 2, 2, 5, 0),                                     // with gaps
      window(1, 3, 4, 1, 2),                                     // larger than the picture
      {{Kind::repeat, 3, 6, 1, 2}, {Kind::repeat, 4, 8, 1, 2}},  // the UNet's
      {{Kind::repeat, 2, 6, 1, 3}, {Kind::repeat, 1, 3, 1, 3}},  //
      {{Kind::nearest, 5, 3}, {Kind::nearest, 3, 7}},            //
      {{Kind::nearest, 1, 4}, {Kind::nearest, 6, 1}},            //
      {{Kind::area, 7, 3}, {Kind::area, 3, 7}},                  //
      {{Kind::area, 4, 4}, {Kind::area, 5, 1}},                  //
  };
  for (const PixelRules& rules : all)
    for (const bool channels_last : {false, true})
      for (DType dtype : kTypes)
        for (int64_t channels : {1, 3, 16}) check_pool(dtype, channels, rules, channels_last);
}

TEST_CASE("interpolate_bilinear on cuda: the CPU's bits, larger and smaller, any layout, one pixel") {
  for (DType dtype : kTypes)
    for (const auto& [in, out] : {std::pair{Shape{2, 3, 4, 5}, Shape{2, 3, 9, 3}},
                                  {{1, 1, 1, 1}, {1, 1, 3, 4}},
                                  {{1, 2, 8, 8}, {1, 2, 3, 3}},
                                  {{2, 1, 3, 7}, {2, 1, 1, 15}},
                                  {{1, 1, 2, 2}, {1, 1, 2, 2}}}) {
      const Tensor x = test::random_tensor(in, 1, dtype), grad = test::random_tensor(out, 2, dtype);
      Tensor expected = empty(out, dtype), expected_grad = empty(in, dtype);
      interpolate_bilinear_kernel(Cpu{}, x, expected);
      interpolate_bilinear_backward_kernel(Cpu{}, grad, expected_grad);
      for (const auto& [each, each_grad] : {std::pair{x, grad},
                                            {test::reversed_memory(x), test::with_gaps(grad)},
                                            {test::with_gaps(x), test::reversed_memory(grad)}}) {
        Tensor y = image(out, dtype, false), grad_x = image(in, dtype, false);
        interpolate_bilinear_kernel(Cuda{}, each, y);
        interpolate_bilinear_backward_kernel(Cuda{}, each_grad, grad_x);
        CHECK(bits_of(y) == bits_of(expected));
        CHECK(bits_of(grad_x) == bits_of(expected_grad));
      }
    }
}

}  // namespace plumb
