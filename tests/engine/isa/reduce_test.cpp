#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "engine/isa/kernels.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

std::string bytes_of(const void* data, size_t bytes) { return std::string(static_cast<const char*>(data), bytes); }

/// Everything the row functions compute from three rows of n elements.
std::string results(const ReduceKernels& rows, const float* a, const float* b, const float* c, int64_t n) {
  std::vector<float> y(static_cast<size_t>(n)), z(static_cast<size_t>(2 * n));
  std::string out;
  auto keep = [&](const std::vector<float>& row) { out += bytes_of(row.data(), row.size() * sizeof(float)); };
  auto keep_one = [&](float value) { out += bytes_of(&value, sizeof(float)); };
  keep_one(rows.fold.sum_block(a, n));
  keep_one(rows.fold.max_block(a, n));
  keep_one(rows.fold.min_block(a, n));
  rows.fold.sum_rows(a, 0, 5, n, y.data());
  keep(y);
  rows.softmax.softmax(a, n, y.data());
  keep(y);
  rows.softmax.softmax_grad(b, a, n, y.data());
  keep(y);
  rows.softmax.log_softmax(a, n, y.data());
  keep(y);
  rows.softmax.log_softmax_grad(b, a, n, y.data());
  keep(y);
  keep_one(rows.squared_error.error(a, b, n));
  rows.squared_error.grad(1.25f, a, b, n, z.data(), z.data() + n);
  keep(z);
  for (const float* weight : {c, static_cast<const float*>(nullptr)}) {
    const LayerNormParameters<float> parameters = {weight, weight, 1e-5f};
    RowStatistics<float> statistics;
    rows.layer_norm.forward(a, n, &parameters, y.data(), &statistics);
    keep(y);
    out += bytes_of(&statistics, sizeof(statistics));
    rows.layer_norm.grad(b, a, n, weight, &statistics, y.data());
    keep(y);
    rows.layer_norm.fold(b, a, n, &statistics, true, z.data());
    rows.layer_norm.fold(c, a, n, &statistics, false, z.data());
    keep(z);
  }
  return out;
}

/// Everything the group norm rows compute of a tile.
std::string group_norm_results(const GroupNormRows<float>& rows, const PixelTile& tile, const Tensor& x,
                               const Tensor& up, bool silu) {
  const int64_t step = (tile.planes ? tile.pixels : tile.channels) + 3;  // lines with a gap between them
  const Tensor affine = random_tensor({5, tile.channels}, 9, DType::f32);
  const float* a = affine.data<float>();
  const ChannelAffine<float> parameters = {a, a + tile.channels, a + 2 * tile.channels, silu};
  const PixelArray<const float> from = {x.data<float>(), step}, grads = {up.data<float>(), step};
  std::vector<float> sums(static_cast<size_t>(4 * tile.channels)), out(static_cast<size_t>(2 * x.numel()), 42.0f);
  rows.moments(tile, from, sums.data(), sums.data() + tile.channels);
  float* g = out.data() + x.numel();
  rows.silu_grad(tile, from, grads, parameters, {g, step});
  rows.grad_sums(tile, from, {g, step}, parameters.mean, sums.data() + 2 * tile.channels,
                 sums.data() + 3 * tile.channels);
  rows.normalise(tile, from, parameters, {out.data(), step});
  const float* lines = a + 3 * tile.channels;
  rows.grad(tile, from, {g, step}, parameters, {lines, lines + tile.channels}, {g, step});
  return bytes_of(sums.data(), sums.size() * sizeof(float)) + bytes_of(out.data(), out.size() * sizeof(float));
}

}  // namespace

TEST_CASE("group norm rows: every instruction set gives the same bits, for every remainder of a tile") {
  const GroupNormRows<float>& reference = find_kernels("portable")->reduce.group_norm;
  for (const char* name : {"avx2", "avx512"}) {
    const Kernels* variant = find_kernels(name);
    if (!variant) continue;
    CAPTURE(name);
    for (int64_t pixels : {1, 2, 15, 16, 17, 33, 100, 1024})
      for (int64_t channels : {1, 3, 4, 17, 64})
        for (const bool planes : {false, true})
          for (const bool silu : {false, true}) {
            CAPTURE(pixels);
            CAPTURE(channels);
            CAPTURE(planes);
            const PixelTile tile = {pixels, channels, planes};
            const Tensor x = random_tensor({(pixels + 3) * (channels + 3)}, 1, DType::f32);
            const Tensor up = random_tensor(x.shape(), 2, DType::f32);
            CHECK((group_norm_results(reference, tile, x, up, silu) ==
                   group_norm_results(variant->reduce.group_norm, tile, x, up, silu)));
          }
  }
}

TEST_CASE("row kernels: every instruction set gives the same bits") {
  const ReduceKernels& reference = find_kernels("portable")->reduce;
  for (const char* name : {"avx2", "avx512"}) {
    const Kernels* variant = find_kernels(name);
    if (!variant) {
      MESSAGE(name << " is missing on this machine: skipped");
      continue;
    }
    // Sizes around one register, one set of lanes, four sets, and a block of the pairwise tree.
    for (int64_t n : {1, 3, 4, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 127, 200, 1000, 1024, 1025, 5000}) {
      CAPTURE(name);
      CAPTURE(n);
      const Tensor a = random_tensor({n}, 1, DType::f32), b = random_tensor({n}, 2, DType::f32);
      Tensor c = random_tensor({n}, 3, DType::f32);
      CHECK((results(reference, a.data<float>(), b.data<float>(), c.data<float>(), n) ==
             results(variant->reduce, a.data<float>(), b.data<float>(), c.data<float>(), n)));
      // Spread over the whole range of exp, with both infinities' neighbours.
      c.mul_(60);
      c.mutable_data<float>()[n / 2] = -std::numeric_limits<float>::infinity();
      CHECK((results(reference, c.data<float>(), b.data<float>(), a.data<float>(), n) ==
             results(variant->reduce, c.data<float>(), b.data<float>(), a.data<float>(), n)));
    }
  }
}
