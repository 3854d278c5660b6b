#pragma once

#include <optional>

#include "engine/random/random_key.h"
#include "nn/layers/linear.h"

namespace plumb {

/// The gated feed-forward part of a transformer block, diffusers' FeedForward with "geglu":
///   y = net.2(dropout(a gelu(b))),   a, b the halves of net.0.proj(x), each of multiple * features
/// x: [..., features] and so y. Differentiable. Weights: net.0.proj, net.2.
class FeedForward final : public Layer<FeedForward> {
 public:
  FeedForward(int64_t features, Init init, int64_t multiple = 4, double dropout = 0)
      : proj_(features, 2 * multiple * features, init), out_(multiple * features, features, init), dropout_(dropout) {}
  explicit FeedForward(const FeedForward&) = default;

  /// Without a key nothing is dropped.
  Variable forward(const Variable& x, const std::optional<RandomKey>& key = {}) const;
  void visit(ModuleVisitor& visitor) override { visitor("net.0.proj", proj_), visitor("net.2", out_); }

 private:
  Linear proj_, out_;
  double dropout_;
};

}  // namespace plumb
