#include "nn/vae/diagonal_gaussian.h"

#include "autograd/ops/elementwise.h"
#include "autograd/ops/layout.h"
#include "autograd/ops/reduce.h"
#include "engine/format.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"

namespace plumb {
namespace {

const Variable& checked(const Variable& moments) {
  require<ShapeError>(moments.rank() >= 2 && moments.size(1) % 2 == 0,
                      "DiagonalGaussian: moments must be [N, 2 C, ...]; {}", moments.value());
  return moments;
}

Variable half(const Variable& moments, int64_t which) {
  const int64_t channels = moments.size(1) / 2;
  return contiguous(slice(moments, 1, which * channels, (which + 1) * channels));
}

}  // namespace

DiagonalGaussian::DiagonalGaussian(const Variable& moments)
    : mean_(half(checked(moments), 0)), logvar_(clamp(half(moments, 1), {-30.0, 20.0})) {}

Variable DiagonalGaussian::sample(const Tensor& noise) const {
  require<ShapeError>(noise.shape() == mean_.shape(),
                      "DiagonalGaussian: noise must be like the mean; noise {}, mean {}", noise, mean_.value());
  return add(mean_, mul(exp(mul(logvar_, 0.5)), noise));
}

Variable DiagonalGaussian::sample(const RandomKey& key) const {
  return sample(randn(key, mean_.shape(), mean_.dtype(), mean_.device()));
}

Variable DiagonalGaussian::kl() const {
  const Variable terms = square(mean_) + exp(logvar_) - 1 - logvar_;
  return mul(sum(flatten(terms, 1), {1}), 0.5);
}

}  // namespace plumb
