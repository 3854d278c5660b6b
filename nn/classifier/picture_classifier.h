#pragma once

#include "nn/classifier/picture_classifier_options.h"
#include "nn/layers/conv2d.h"
#include "nn/layers/group_norm.h"
#include "nn/layers/linear.h"

namespace plumb {

/// What a PictureClassifier makes of N pictures.
struct ClassifierOutput {
  Variable features;  ///< [N, feature_dim], before the last activation: the feature space of distances
  Variable logits;    ///< [N, outputs()], the heads side by side
};

/// A small network that tells things about pictures: for each block a 3x3 convolution of stride 2 and GroupNorm with
/// SiLU, then a linear layer on all that is left (place counts), whose outputs are the features, SiLU, and a linear
/// layer for all heads. Names of the weights: blocks.I.conv, blocks.I.norm, project, head. Differentiable in pixels and
/// weights. First values are torch's for each layer.
class PictureClassifier final : public Layer<PictureClassifier> {
 public:
  /// Throws ValueError for impossible options (PictureClassifierOptions::check).
  PictureClassifier(const PictureClassifierOptions& options, Init init);
  explicit PictureClassifier(const PictureClassifier&) = default;

  const PictureClassifierOptions& options() const { return options_; }

  /// pixels: [N, in_channels, image_size, image_size] in [-1, 1]. Throws ShapeError.
  ClassifierOutput forward(const Variable& pixels) const;
  void visit(ModuleVisitor& visitor) override;

 private:
  class Block final : public Layer<Block> {
   public:
    Block(int64_t in, int64_t out, int64_t groups, Init init);
    explicit Block(const Block&) = default;
    Variable forward(const Variable& x) const { return norm_.forward(conv_.forward(x)); }
    void visit(ModuleVisitor& visitor) override;

   private:
    Conv2d conv_;
    GroupNorm norm_;
  };

  PictureClassifierOptions options_;
  ModuleList<Block> blocks_;
  Linear project_, head_;
};

/// The mean over pictures of the sum over heads of the cross entropy. logits: [N, outputs()] · labels: i64 [N, heads].
/// Differentiable in logits. Throws ShapeError, IndexError.
Variable classifier_loss(const Variable& logits, const Tensor& labels, const std::vector<ClassifierHead>& heads);

/// Columns of `head` in the logits: [first, last).
std::pair<int64_t, int64_t> columns_of(const std::vector<ClassifierHead>& heads, size_t head);

}  // namespace plumb
