#include "apps/eval/picture_features.h"

#include <algorithm>

#include "engine/ops.h"
#include "engine/parallel.h"

namespace plumb {
namespace {

Tensor pixels_of(const PictureDataset& dataset, const int64_t* rows, int64_t count, const PictureTransform& transform) {
  Tensor pixels = empty({count, transform.channels, transform.resolution, transform.resolution});
  const int64_t size = pixels.numel() / count;
  float* out = pixels.mutable_data<float>();
  parallel_for(count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Image image = resized(read_picture(dataset.samples[size_t(rows[i])].source), transform);
      to_floats(image, transform, choose_crop(image, transform, {}), out + i * size);
    }
  });
  return pixels;
}

}  // namespace

NetworkOutput picture_features(const PictureDataset& dataset, const std::vector<int64_t>& rows, FeatureNetwork& network,
                               int64_t batch_size) {
  std::vector<Tensor> features, logits;
  for (size_t begin = 0; begin < rows.size(); begin += size_t(batch_size)) {
    const int64_t count = std::min(batch_size, int64_t(rows.size() - begin));
    NetworkOutput output = network.forward(pixels_of(dataset, rows.data() + begin, count, network.transform()));
    features.push_back(std::move(output.features));
    if (output.logits.defined()) logits.push_back(std::move(output.logits));
  }
  return {cat(features, 0), logits.empty() ? Tensor() : cat(logits, 0)};
}

}  // namespace plumb
