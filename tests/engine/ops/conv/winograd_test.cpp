#include "engine/ops/conv/winograd.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <utility>

#include "engine/allocator.h"
#include "engine/ops/conv/algorithm.h"
#include "engine/ops/conv/conv2d_reference.h"
#include "engine/ops/layout/view.h"
#include "engine/ops/random/random.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

struct Problem {
  int64_t batch, in, out;
  Size2d size, padding;
};

ConvGeometry geometry_of(const Problem& p) {
  return {.batch = p.batch,
          .input = p.size,
          .output = {p.size.height + 2 * p.padding.height - 2, p.size.width + 2 * p.padding.width - 2},
          .kernel = {3, 3},
          .in_channels = p.in,
          .out_channels = p.out,
          .options = {.padding = p.padding}};
}

/// Channels innermost, as the kernels read and write.
Tensor inside(const Tensor& x) { return permute(x, {0, 2, 3, 1}).contiguous(); }
Tensor outside(const Tensor& x) { return permute(x, {0, 3, 1, 2}); }

/// All three directions with the same operands.
struct Results {
  Tensor y, grad_x, grad_weight;
};

struct Operands {
  Tensor x, weight, bias, grad;

  explicit Operands(const Problem& p)
      : x(random_tensor({p.batch, p.in, p.size.height, p.size.width}, 1, DType::f32)),
        weight(random_tensor({p.out, p.in, 3, 3}, 2, DType::f32)),
        bias(random_tensor({p.out}, 3, DType::f32)),
        grad(random_tensor({p.batch, p.out, geometry_of(p).output.height, geometry_of(p).output.width}, 4,
                           DType::f32)) {}
};

Results run(const Kernels& isa, const Problem& p, const Operands& o) {
  const ConvGeometry g = geometry_of(p);
  REQUIRE(winograd_fits(isa, g));
  const Tensor x = inside(o.x), weight = inside(o.weight), grad = inside(o.grad);
  // Every element must be written.
  Tensor y = full({p.batch, g.output.height, g.output.width, p.out}, NAN);
  Tensor grad_x = full({p.batch, p.size.height, p.size.width, p.in}, NAN);
  winograd_forward(isa, g, x.data<float>(), weight.data<float>(), o.bias.data<float>(), y.mutable_data<float>());
  winograd_backward_x(isa, g, grad.data<float>(), weight.data<float>(), grad_x.mutable_data<float>());
  Tensor grad_weight = full({p.out, 3, 3, p.in}, NAN);
  winograd_backward_weight(isa, g, grad.data<float>(), x.data<float>(), grad_weight.mutable_data<float>());
  return {outside(y), outside(grad_x), outside(grad_weight)};
}

/// Root mean square of the difference over that of what is expected.
double rms_error(const Tensor& actual, const Tensor& expected) {
  const auto a = actual.to_vector<double>(), e = expected.to_vector<double>();
  double difference = 0, size = 0;
  for (size_t i = 0; i < e.size(); ++i) {
    difference += (a[i] - e[i]) * (a[i] - e[i]);
    size += e[i] * e[i];
  }
  return std::sqrt(difference / size);
}

/// Every way a tile can hang over an edge, sizes below a tile, paddings that differ, channels that leave remainders of
/// vectors (16 and 8) and of micro-kernels (14 and 6 rows, 32 and 16 columns), more than one block of tiles and depth.
const Problem kProblems[] = {
    {2, 5, 7, {9, 6}, {1, 1}},     {1, 1, 1, {3, 3}, {0, 0}},    {1, 3, 2, {1, 1}, {1, 1}},
    {3, 16, 33, {4, 5}, {2, 0}},   {1, 33, 16, {7, 11}, {0, 2}}, {2, 40, 70, {8, 8}, {1, 1}},
    {1, 300, 24, {5, 6}, {1, 2}},  {1, 24, 300, {6, 5}, {2, 1}}, {3, 18, 20, {37, 34}, {1, 1}},
    {7, 65, 34, {18, 21}, {1, 1}},
};

}  // namespace

TEST_CASE("winograd: every instruction set agrees with the definition, over sizes that leave remainders") {
  for (const Problem& p : kProblems) {
    const Operands o(p);
    const Conv2dOptions options{.padding = p.padding};
    const Tensor y = reference::conv2d(o.x, o.weight, o.bias, options);
    const Tensor grad_x = reference::conv2d_backward_x(o.grad, o.weight, o.x.shape(), options);
    const Tensor grad_weight = reference::conv2d_backward_weight(o.grad, o.x, o.weight.shape(), options);
    for (const char* name : {"avx2", "avx512"}) {
      const Kernels* isa = find_kernels(name);
      if (!isa) continue;
      INFO(name, ": N ", p.batch, " C ", p.in, " O ", p.out, " H ", p.size.height, " W ", p.size.width);
      const Results got = run(*isa, p, o);
      CHECK(rms_error(got.y, y) < 2e-6);
      CHECK(rms_error(got.grad_x, grad_x) < 2e-6);
      CHECK(rms_error(got.grad_weight, grad_weight) < 2e-6);
    }
  }
}

TEST_CASE("winograd: AVX2 and AVX-512 give the same bits") {
  const Kernels *narrow = find_kernels("avx2"), *wide = find_kernels("avx512");
  if (!narrow || !wide) return;
  for (const Problem& p : kProblems) {
    const Operands o(p);
    const Results a = run(*narrow, p, o), b = run(*wide, p, o);
    CHECK(bits_of(a.y) == bits_of(b.y));
    CHECK(bits_of(a.grad_x) == bits_of(b.grad_x));
    CHECK(bits_of(a.grad_weight) == bits_of(b.grad_weight));
  }
}

TEST_CASE("winograd: same bits for 1, 2, 3 and 8 threads, with tasks of tiles and of columns") {
  const int before = num_threads();
  for (const Problem& p : {Problem{3, 40, 72, {37, 34}, {1, 1}}, Problem{1, 72, 160, {9, 10}, {1, 1}}}) {
    const Operands o(p);
    std::string first;
    for (const int threads : {1, 2, 3, 8}) {
      set_num_threads(threads);
      const WinogradScope scope(WinogradChoice::fitting);
      const Conv2dOptions options{.padding = p.padding};
      const std::string bits = bits_of(conv2d(o.x, o.weight, o.bias, options)) +
                               bits_of(conv2d_backward_x(o.grad, o.weight, o.x.shape(), options)) +
                               bits_of(conv2d_backward_weight(o.grad, o.x, o.weight.shape(), options));
      if (first.empty()) first = bits;
      CHECK(bits == first);
    }
  }
  set_num_threads(before);
}

TEST_CASE("winograd: conv2d takes it where it fits, unless it is forbidden") {
  const Problem p{2, 64, 64, {16, 16}, {1, 1}};
  const ConvGeometry g = geometry_of(p);
  const Operands o(p);
  const bool fits = winograd_fits(kernels(), g);
  CHECK(fits == (kernels().gemm.tile != nullptr));
  CHECK(winograd_allowed());
  const auto result = [&] { return bits_of(conv2d(o.x, o.weight, o.bias, {.padding = p.padding})); };
  const std::string chosen = result();
  CHECK(takes_winograd(ConvDirection::forward, g) == fits);
  if (fits) CHECK(chosen == bits_of(run(kernels(), p, o).y));
  set_winograd_allowed(false);
  CHECK_FALSE(winograd_allowed());
  for (const auto direction : {ConvDirection::forward, ConvDirection::backward_x, ConvDirection::backward_weight})
    CHECK_FALSE(takes_winograd(direction, g));
  CHECK((result() != chosen) == fits);
  set_winograd_allowed(true);
  CHECK(result() == chosen);
}

TEST_CASE("winograd: not for other kernels, strides, dilations, groups or wider padding") {
  const ConvGeometry good = geometry_of({2, 64, 64, {16, 16}, {1, 1}});
  const auto fits = [&](auto change) {
    ConvGeometry g = good;
    change(g);
    return winograd_fits(kernels(), g);
  };
  CHECK_FALSE(fits([](ConvGeometry& g) { g.kernel = {3, 1}; }));
  CHECK_FALSE(fits([](ConvGeometry& g) { g.options.stride = {1, 2}; }));
  CHECK_FALSE(fits([](ConvGeometry& g) { g.options.dilation = {2, 1}; }));
  CHECK_FALSE(fits([](ConvGeometry& g) { g.options.groups = 2; }));
  CHECK_FALSE(fits([](ConvGeometry& g) { g.options.padding = {1, 3}; }));
}

TEST_CASE("winograd: the error that is documented, beside that of the direct convolution") {
  if (!kernels().gemm.tile) return;
  const RandomKey key{.seed = 1};
  const Conv2dOptions options{.padding = {1, 1}};
  for (const auto& [channels, side] : {std::pair<int64_t, int64_t>{64, 32}, {256, 8}, {640, 8}}) {
    INFO("channels ", channels);
    const Tensor x = randn(key.fork("x"), {1, channels, side, side});
    const Tensor weight = randn(key.fork("weight"), {channels, channels, 3, 3});
    const Tensor grad = randn(key.fork("grad"), {1, channels, side, side});
    const auto exact = [](const Tensor& t) { return t.to(DType::f64); };
    const Tensor y = conv2d(exact(x), exact(weight), {}, options);
    const Tensor grad_x = conv2d_backward_x(exact(grad), exact(weight), x.shape(), options);
    const Tensor grad_weight = conv2d_backward_weight(exact(grad), exact(x), weight.shape(), options);
    for (const auto& [choice, bound] : {std::pair{WinogradChoice::fitting, 1.3e-6}, {WinogradChoice::never, 4e-7}}) {
      const WinogradScope scope(choice);
      CHECK(rms_error(conv2d(x, weight, {}, options), y) < bound);
      CHECK(rms_error(conv2d_backward_x(grad, weight, x.shape(), options), grad_x) < bound);
      CHECK(rms_error(conv2d_backward_weight(grad, x, weight.shape(), options), grad_weight) < bound);
    }
  }
}

TEST_CASE("winograd: the rule takes it for many results and leaves few results and few channels to the direct way") {
  if (!kernels().gemm.tile) return;
  const auto takes = [](const Problem& p) {
    std::string taken;
    for (const auto direction : {ConvDirection::forward, ConvDirection::backward_x, ConvDirection::backward_weight})
      taken += takes_winograd(direction, geometry_of(p)) ? 'w' : 'd';
    return taken;
  };
  CHECK(takes({16, 64, 64, {32, 32}, {1, 1}}) == "www");
  CHECK(takes({2, 1280, 1280, {16, 16}, {1, 1}}) == "www");
  CHECK(takes({1, 256, 256, {8, 8}, {1, 1}}) == "dwd");
  CHECK(takes({1, 256, 256, {4, 4}, {1, 1}}) == "ddd");
  CHECK(takes({16, 4, 64, {32, 32}, {1, 1}}) == "dwd");
  CHECK(takes({16, 64, 4, {32, 32}, {1, 1}}) == "wdw");
}

TEST_CASE("conv2d: channels-last pictures are read where they lie") {
  const int before = num_threads();
  set_num_threads(1);
  const Tensor x = channels_last(random_tensor({1, 32, 256, 256}, 1, DType::f32));
  const Tensor weight = random_tensor({32, 32, 3, 3}, 2, DType::f32);
  const int64_t bytes = x.numel() * 4;
  // Beyond the result: less than half a copy of x.
  const auto extra = [&](auto call) {
    release_cached_memory();
    reset_peak_memory();
    const int64_t held = allocator_statistics().allocated_bytes;
    const Tensor result = call();
    return allocator_statistics().peak_allocated_bytes - held - result.numel() * 4;
  };
  for (const auto choice : {WinogradChoice::never, WinogradChoice::fitting}) {
    const WinogradScope scope(choice);
    const Conv2dOptions options{.padding = {1, 1}};
    CHECK(extra([&] { return conv2d(x, weight, {}, options); }) < bytes / 2);
    CHECK(extra([&] { return conv2d_backward_x(x, weight, x.shape(), options); }) < bytes / 2);
    CHECK(extra([&] { return conv2d_backward_weight(x, x, weight.shape(), options); }) < bytes / 2);
  }
  set_num_threads(before);
}
