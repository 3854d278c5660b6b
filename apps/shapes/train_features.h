#pragma once

#include <memory>
#include <vector>

#include "align/worlds/shapes/world.h"
#include "engine/io/image.h"
#include "engine/random/random_key.h"
#include "nn/classifier/picture_classifier.h"
#include "nn/data/picture_dataset.h"

namespace plumb::shapes {

/// Pictures of a world with their attributes, as the analyser reads them.
struct LabelledPictures {
  std::vector<Image> pictures = {};
  std::vector<int64_t> labels = {};  ///< [pictures, heads]
  int64_t unreadable = 0;            ///< pictures left out
};

/// The first `most` pictures of a data set. Throws IoError naming a picture that cannot be read or has another size
/// than the world's; ValueError when none is readable.
LabelledPictures label_pictures(const PictureDataset& dataset, const World& world, int64_t most);

struct FeatureTraining {
  int64_t steps = 1500, batch_size = 64;
  double learning_rate = 2e-3;
  bool quiet = false;
};

/// Trains a classifier on all but the last `held_out` pictures: AdamW, cosine to a fiftieth. A function of its
/// arguments. Throws NumericError when the loss is not finite.
std::unique_ptr<PictureClassifier> train_features(const LabelledPictures& data, int64_t held_out,
                                                  const PictureClassifierOptions& options,
                                                  const FeatureTraining& training, const RandomKey& key);

/// Share of the last `count` pictures that each head tells rightly.
std::vector<double> head_accuracy(const PictureClassifier& model, const LabelledPictures& data, int64_t count);

}  // namespace plumb::shapes
