#include "apps/train/data.h"

#include <algorithm>
#include <cmath>

#include "engine/format.h"
#include "engine/io/safetensors.h"
#include "engine/io/sha256.h"
#include "engine/require.h"

namespace plumb::train {
namespace {

PointData from_world(const Settings& settings) {
  const Gaussians2d world(settings.world);
  require<UsageError>(settings.samples_per_class <= 100'000'000 / world.classes(),
                      "train: --classes {} times --samples_per_class {} must be at most 100 million points",
                      world.classes(), settings.samples_per_class);
  const Tensor labels = labels_by_class(world.classes(), settings.samples_per_class);
  const RandomKey key = RandomKey{.seed = uint64_t(settings.global.seed)}.fork("train data");
  return {world.sample_noisy(labels, key), labels, world.classes()};
}

void check_finite(const std::string& file, const Tensor& points) {
  const float* values = points.data<float>();
  for (int64_t i = 0; i < points.numel(); ++i)
    require<UsageError>(std::isfinite(values[i]), "{}: points must be finite (row {} holds {}); repair the data", file,
                        i / points.size(1), values[i]);
}

PointData from_file(const std::string& file) {
  const SafetensorsFile source(file);
  require<UsageError>(source.contains("points"), "{}: needs a tensor \"points\" [N, D] (none there)", file);
  PointData data;
  const Tensor points = source.tensor("points");
  require<UsageError>(points.rank() == 2 && points.numel() > 0 && is_floating(points.dtype()),
                      "{}: points must be floating [N, D] and not empty; {}", file, points);
  data.points = points.to(DType::f32).clone();
  check_finite(file, data.points);
  if (!source.contains("labels")) return data;
  const Tensor labels = source.tensor("labels");
  require<UsageError>(labels.rank() == 1 && labels.size(0) == points.size(0) && !is_floating(labels.dtype()),
                      "{}: labels must be integers [{}]; {}", file, points.size(0), labels);
  data.labels = labels.to(DType::i64).clone();
  const std::vector<int64_t> values = data.labels.to_vector<int64_t>();
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  require<UsageError>(*low >= 0 && *high < 100000, "{}: labels must be in [0, 100000) ({} to {})", file, *low, *high);
  data.classes = *high + 1;
  return data;
}

}  // namespace

PointData load_data(const Settings& settings) {
  return settings.train_data.empty() ? from_world(settings) : from_file(settings.train_data);
}

std::string hash_of(const PointData& data) {
  Sha256 hash;
  hash.update(fmt::format("{} {}", data.points.shape(), data.classes));
  hash.update(data.points.data<float>(), size_t(data.points.numel()) * sizeof(float));
  if (data.labels.defined()) hash.update(data.labels.data<int64_t>(), size_t(data.labels.numel()) * sizeof(int64_t));
  return hash.finish_hex();
}

}  // namespace plumb::train
