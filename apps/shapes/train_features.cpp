#include "apps/shapes/train_features.h"

#include <algorithm>
#include <cmath>

#include "align/worlds/shapes/analyser.h"
#include "align/worlds/shapes/attributes.h"
#include "apps/common/progress.h"
#include "autograd/backward.h"
#include "autograd/grad_mode.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/parallel.h"
#include "engine/require.h"
#include "nn/data/picture_transform.h"
#include "nn/optim/adam.h"
#include "nn/optim/lr_schedule.h"
#include "nn/visitors.h"

namespace plumb::shapes {
namespace {

/// Pixels and labels of the pictures numbered `rows`.
struct Batch {
  Tensor pixels, labels;
};

Batch batch_of(const LabelledPictures& data, const std::vector<int64_t>& rows) {
  const int64_t count = int64_t(rows.size()), size = data.pictures.front().width;
  const int64_t heads = int64_t(data.labels.size() / data.pictures.size());
  Batch batch{empty({count, 3, size, size}), empty({count, heads}, DType::i64)};
  const PictureTransform transform{.resolution = size, .center_crop = true};
  for (int64_t i = 0; i < count; ++i) {
    const size_t row = size_t(rows[size_t(i)]);
    to_floats(data.pictures[row], transform, {}, batch.pixels.mutable_data<float>() + i * 3 * size * size);
    std::copy_n(data.labels.data() + row * size_t(heads), heads, batch.labels.mutable_data<int64_t>() + i * heads);
  }
  return batch;
}

}  // namespace

LabelledPictures label_pictures(const PictureDataset& dataset, const World& world, int64_t most) {
  const int64_t count = std::min(most, int64_t(dataset.samples.size()));
  std::vector<Image> pictures(size_t(count), Image{});
  std::vector<std::vector<int64_t>> labels(pictures.size());
  parallel_for(count, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const PictureSource& source = dataset.samples[size_t(i)].source;
      Image& picture = pictures[size_t(i)] = read_picture(source);
      require<IoError>(
          picture.width == world.picture_size && picture.height == world.picture_size && picture.channels == 3,
          "shapes features: pictures must be the world's, {0}x{0} in colour ({1}x{2}, {3} channels); {4}",
          world.picture_size, picture.width, picture.height, picture.channels, source.name());
      const Reading reading = analyse(picture, world);
      const int64_t objects = int64_t(reading.scene.objects.size());
      if (reading.readable && objects >= 1 && objects <= world.max_objects)
        labels[size_t(i)] = attributes_of(reading.scene, world);
    }
  });
  LabelledPictures data;
  for (size_t i = 0; i < pictures.size(); ++i) {
    if (labels[i].empty()) {
      ++data.unreadable;
      continue;
    }
    data.pictures.push_back(std::move(pictures[i]));
    data.labels.insert(data.labels.end(), labels[i].begin(), labels[i].end());
  }
  require<ValueError>(!data.pictures.empty(),
                      "shapes features: the analyser can read none of {} pictures; is --world the "
                      "one they were made in?",
                      count);
  return data;
}

std::unique_ptr<PictureClassifier> train_features(const LabelledPictures& data, int64_t held_out,
                                                  const PictureClassifierOptions& options,
                                                  const FeatureTraining& training, const RandomKey& key) {
  const int64_t count = int64_t(data.pictures.size()) - held_out;
  require<ValueError>(held_out >= 0 && count > 0,
                      "shapes features: there must be pictures to train on ({} of {} held out)", held_out,
                      data.pictures.size());
  Generator generator(key.fork("init").philox_key());
  auto model = std::make_unique<PictureClassifier>(options, generator);
  AdamW optimizer(parameters(*model), {.learning_rate = training.learning_rate, .weight_decay = 1e-2});
  const LrSchedule cosine{.kind = LrScheduleKind::cosine, .total_steps = training.steps, .final_fraction = 0.02};
  Progress progress({.description = "Steps", .total = training.steps, .quiet = training.quiet});
  for (int64_t step = 0; step < training.steps; ++step) {
    const std::vector<int64_t> rows =
        randint(key.fork("rows").at_step(uint64_t(step)), 0, count, {training.batch_size}).to_vector<int64_t>();
    const Batch batch = batch_of(data, rows);
    optimizer.zero_grad();
    const Variable loss = classifier_loss(model->forward(batch.pixels).logits, batch.labels, options.heads);
    backward(loss);
    optimizer.set_learning_rate(training.learning_rate * lr_factor(step, cosine));
    optimizer.step();
    const double value = loss.value().item();
    require<NumericError>(std::isfinite(value),
                          "shapes features: the loss must be finite ({} at step {}); lower --learning_rate", value,
                          step + 1);
    progress.update(step + 1, {{"loss", fmt::format("{:.4f}", value)}});
  }
  return model;
}

std::vector<double> head_accuracy(const PictureClassifier& model, const LabelledPictures& data, int64_t count) {
  const NoGrad no_grad;
  const std::vector<ClassifierHead>& heads = model.options().heads;
  std::vector<double> right(heads.size());
  constexpr int64_t kBatch = 256;
  const int64_t end = int64_t(data.pictures.size());
  for (int64_t begin = end - count; begin < end; begin += kBatch) {
    std::vector<int64_t> rows;
    for (int64_t i = begin; i < std::min(begin + kBatch, end); ++i) rows.push_back(i);
    const std::vector<double> logits = model.forward(batch_of(data, rows).pixels).logits.value().to_vector<double>();
    for (size_t i = 0; i < rows.size(); ++i)
      for (size_t h = 0; h < heads.size(); ++h) {
        const auto [first, last] = columns_of(heads, h);
        const double* row = logits.data() + i * size_t(model.options().outputs());
        const int64_t told = std::max_element(row + first, row + last) - (row + first);
        right[h] += told == data.labels[size_t(rows[i]) * heads.size() + h];
      }
  }
  for (double& share : right) share /= double(count);
  return right;
}

}  // namespace plumb::shapes
