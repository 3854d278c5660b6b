#pragma once

#include <cstdint>
#include <vector>

#include "diffusion/eval/feature_network.h"
#include "nn/data/picture_dataset.h"

namespace plumb {

/// Features of the samples numbered `rows`, in that order: [rows, dimensions], and logits. Pictures are decoded on all
/// threads. Throws IoError naming a picture that cannot be read.
NetworkOutput picture_features(const PictureDataset& dataset, const std::vector<int64_t>& rows, FeatureNetwork& network,
                               int64_t batch_size);

}  // namespace plumb
