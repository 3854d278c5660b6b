#include "nn/classifier/picture_classifier.h"

#include "autograd/ops.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

const PictureClassifierOptions& checked(const PictureClassifierOptions& options) {
  options.check();
  return options;
}

}  // namespace

PictureClassifier::Block::Block(int64_t in, int64_t out, int64_t groups, Init init)
    : conv_(in, out, {3, 3}, init, {.conv = {.stride = {2, 2}, .padding = {1, 1}}}),
      norm_(groups, out, {.silu = true}) {}

void PictureClassifier::Block::visit(ModuleVisitor& visitor) { visitor("conv", conv_), visitor("norm", norm_); }

PictureClassifier::PictureClassifier(const PictureClassifierOptions& options, Init init)
    : options_(checked(options)),
      blocks_([&] {
        ModuleList<Block> blocks;
        int64_t in = options.in_channels;
        for (int64_t out : options.block_out_channels) {
          blocks.push_back(std::make_unique<Block>(in, out, options.norm_num_groups, init));
          in = out;
        }
        return blocks;
      }()),
      project_(options.block_out_channels.back() * options.last_size() * options.last_size(), options.feature_dim,
               init),
      head_(options.feature_dim, options.outputs(), init) {}

ClassifierOutput PictureClassifier::forward(const Variable& pixels) const {
  const PictureClassifierOptions& o = options_;
  require<ShapeError>(pixels.rank() == 4 && pixels.size(1) == o.in_channels && pixels.size(2) == o.image_size &&
                          pixels.size(3) == o.image_size,
                      "PictureClassifier: pictures must be [N, {}, {}, {}]; {}", o.in_channels, o.image_size,
                      o.image_size, pixels.value());
  Variable x = pixels;
  for (const auto& block : blocks_) x = block->forward(x);
  Variable features = project_.forward(flatten(contiguous(x), 1));
  Variable logits = head_.forward(silu(features));
  return {std::move(features), std::move(logits)};
}

void PictureClassifier::visit(ModuleVisitor& visitor) {
  visitor("blocks", static_cast<std::vector<std::unique_ptr<Block>>&>(blocks_));
  visitor("project", project_), visitor("head", head_);
}

std::pair<int64_t, int64_t> columns_of(const std::vector<ClassifierHead>& heads, size_t head) {
  int64_t first = 0;
  for (size_t h = 0; h < head; ++h) first += int64_t(heads[h].classes.size());
  return {first, first + int64_t(heads[head].classes.size())};
}

Variable classifier_loss(const Variable& logits, const Tensor& labels, const std::vector<ClassifierHead>& heads) {
  require<ShapeError>(labels.rank() == 2 && labels.size(0) == logits.size(0) && labels.size(1) == int64_t(heads.size()),
                      "classifier_loss: labels must be [{}, {}]; {}", logits.size(0), heads.size(), labels);
  Variable loss;
  for (size_t h = 0; h < heads.size(); ++h) {
    const auto [first, last] = columns_of(heads, h);
    const Variable log_p = log_softmax(slice(logits, 1, first, last), 1);
    const Tensor label = slice(labels, 1, int64_t(h), int64_t(h) + 1);
    const Variable term = -mean(gather(log_p, 1, label));
    loss = loss.defined() ? loss + term : term;
  }
  return loss;
}

}  // namespace plumb
