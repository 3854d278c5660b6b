#include "nn/data/picture_loader.h"

#include <algorithm>
#include <mutex>

#include "engine/ops.h"

namespace plumb {

/// What the workers share: the resized pictures that fit the memory. A slot is filled once and then read only.
struct PictureLoader::Shared {
  Shared(const PictureDataset& data, const PictureTransform& how, uint64_t most)
      : dataset(data), transform(how), memory(most), kept(data.samples.size()) {}

  struct Kept {
    Image image;            // resized
    int64_t height, width;  // before
  };

  std::shared_ptr<const Kept> picture(int64_t sample) {
    {
      const std::lock_guard lock(mutex);
      if (kept[size_t(sample)]) return kept[size_t(sample)];
    }
    const PictureSource& source = dataset.samples[size_t(sample)].source;
    Image whole = read_picture(source);
    const int64_t height = whole.height, width = whole.width;
    auto picture = std::make_shared<const Kept>(Kept{resized(std::move(whole), transform), height, width});
    const size_t bytes = picture->image.pixels.size();
    const std::lock_guard lock(mutex);
    if (kept_bytes + bytes <= memory && !kept[size_t(sample)]) {
      kept_bytes += bytes;
      kept[size_t(sample)] = picture;
    }
    return picture;
  }

  const PictureDataset& dataset;
  const PictureTransform transform;
  const uint64_t memory;
  std::mutex mutex;
  std::vector<std::shared_ptr<const Kept>> kept;
  uint64_t kept_bytes = 0;
};

PictureLoader::PictureLoader(const PictureDataset& dataset, const PictureTransform& transform, PlanOf plan_of,
                             const PictureLoaderOptions& options)
    : plan_of_(std::move(plan_of)), workers_(std::max<int64_t>(options.workers, 0)) {
  transform.check();
  shared_ = std::make_shared<Shared>(dataset, transform, options.memory);
}

PictureLoader::~PictureLoader() = default;

PictureLoader::Made PictureLoader::make(Shared& shared, const Plan& plan) {
  const PictureTransform& transform = shared.transform;
  const size_t row = size_t(transform.channels * transform.resolution * transform.resolution);
  Made made{std::vector<float>(plan.samples.size() * row), {}, {}};
  for (size_t i = 0; i < plan.samples.size(); ++i) {
    const auto picture = shared.picture(plan.samples[i]);
    const PictureCrop crop = choose_crop(picture->image, transform, plan.key.at_sample(plan.key.sample0 + i));
    made.crops.push_back(crop);
    made.origins.push_back({picture->height, picture->width, crop.top, crop.left});
    to_floats(picture->image, transform, crop, &made.pixels[i * row]);
  }
  return made;
}

PictureLoader::Coming PictureLoader::start(int64_t batch, std::launch how) {
  Plan plan = plan_of_(batch);
  std::vector<int64_t> samples = plan.samples;
  return {batch, std::move(samples),
          std::async(how, [shared = shared_, plan = std::move(plan)] { return make(*shared, plan); })};
}

PictureBatch PictureLoader::at(int64_t batch) {
  if (!coming_.empty() && coming_.front().batch != batch) coming_.clear();
  if (coming_.empty()) coming_.push_back(start(batch, std::launch::deferred));
  Coming now = std::move(coming_.front());
  coming_.pop_front();
  while (int64_t(coming_.size()) < workers_)
    coming_.push_back(start(batch + 1 + int64_t(coming_.size()), std::launch::async));
  const Made made = now.made.get();
  const PictureTransform& transform = shared_->transform;
  const int64_t side = transform.resolution;
  PictureBatch result{empty({int64_t(now.samples.size()), transform.channels, side, side}, DType::f32),
                      std::move(now.samples), made.crops, made.origins};
  std::copy(made.pixels.begin(), made.pixels.end(), result.pixels.mutable_data<float>());
  return result;
}

}  // namespace plumb
