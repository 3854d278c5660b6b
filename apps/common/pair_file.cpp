#include "apps/common/pair_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "apps/common/exit_codes.h"
#include "engine/format.h"
#include "engine/io/sha256.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"condition", "losers", "negative", "winners"};

Tensor read_points(const SafetensorsFile& source, const std::string& file, std::string_view name, int64_t dimensions) {
  require<UsageError>(source.contains(name), "{}: needs a tensor \"{}\" [P, {}] (none there)", file, name, dimensions);
  const Tensor points = source.tensor(name);
  require<UsageError>(
      is_floating(points.dtype()) && points.rank() == 2 && points.size(0) >= 1 && points.size(1) == dimensions,
      "{}: {} must be floating [P, {}] for this model, and not empty; {}", file, name, dimensions, points);
  Tensor values = points.to(DType::f32).clone();
  const float* data = values.data<float>();
  for (int64_t i = 0; i < values.numel(); ++i)
    require<UsageError>(std::isfinite(data[i]), "{}: {} must be finite (row {} holds {}); repair the data", file, name,
                        i / dimensions, data[i]);
  return values;
}

Tensor read_labels(const SafetensorsFile& source, const std::string& file, std::string_view name, int64_t pairs,
                   int64_t classes) {
  const Tensor labels = source.tensor(name);
  require<UsageError>(classes > 0, "{}: {} is of no use to a model without classes; leave it out", file, name);
  require<UsageError>(!is_floating(labels.dtype()) && labels.rank() == 1 && labels.size(0) == pairs,
                      "{}: {} must be integers [{}]; {}", file, name, pairs, labels);
  Tensor values = labels.to(DType::i64).clone();
  const int64_t* data = values.data<int64_t>();
  for (int64_t i = 0; i < pairs; ++i)
    require<UsageError>(data[i] >= 0 && data[i] < classes, "{}: {} must be in [0, {}) for this model (row {} holds {})",
                        file, name, classes, i, data[i]);
  return values;
}

}  // namespace

void save_pairs(const std::string& file, const PreferencePairs& pairs, const Metadata& metadata) {
  TensorMap tensors{{"winners", pairs.winners}, {"losers", pairs.losers}};
  if (pairs.condition.labels.defined()) tensors.emplace("condition", pairs.condition.labels);
  if (pairs.negative.labels.defined()) tensors.emplace("negative", pairs.negative.labels);
  save_safetensors(file, tensors, metadata);
}

PreferencePairs load_pairs(const std::string& file, const PointDenoiserOptions& network) {
  const SafetensorsFile source(file);
  for (size_t i = 0; i < source.size(); ++i) {
    const std::string_view name = source.header().name(i);
    require<UsageError>(std::find(kNames.begin(), kNames.end(), name) != kNames.end(),
                        "{}: unknown tensor \"{}\"; a preference set holds {}", file, name, fmt::join(kNames, ", "));
  }
  PreferencePairs pairs;
  pairs.winners = read_points(source, file, "winners", network.dimensions);
  pairs.losers = read_points(source, file, "losers", network.dimensions);
  require<UsageError>(pairs.losers.size(0) == pairs.size(), "{}: {} winners need as many losers ({})", file,
                      pairs.size(), pairs.losers.size(0));
  require<UsageError>(network.classes == 0 || source.contains("condition"),
                      "{}: needs a tensor \"condition\" [{}], for the model has {} classes", file, pairs.size(),
                      network.classes);
  if (source.contains("condition"))
    pairs.condition.labels = read_labels(source, file, "condition", pairs.size(), network.classes);
  if (source.contains("negative"))
    pairs.negative.labels = read_labels(source, file, "negative", pairs.size(), network.classes);
  return pairs;
}

std::string hash_of(const PreferencePairs& pairs) {
  Sha256 hash;
  hash.update(fmt::format("{}", pairs.winners.shape()));
  for (const Tensor& points : {pairs.winners, pairs.losers})
    hash.update(points.data<float>(), size_t(points.numel()) * sizeof(float));
  for (const Tensor& labels : {pairs.condition.labels, pairs.negative.labels}) {
    hash.update(labels.defined() ? "labels" : "none");
    if (labels.defined()) hash.update(labels.data<int64_t>(), size_t(labels.numel()) * sizeof(int64_t));
  }
  return hash.finish_hex();
}

}  // namespace plumb
