#include "apps/eval/pictures.h"

#include <algorithm>
#include <map>

#include "apps/common/exit_codes.h"
#include "apps/eval/picture_features.h"
#include "diffusion/eval/diversity.h"
#include "diffusion/eval/feature_distance.h"
#include "diffusion/eval/feature_set.h"
#include "diffusion/eval/inception_score.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"
#include "nn/classifier/picture_classifier.h"

namespace plumb {
namespace {

/// The samples of one folder that count, and what the network makes of them.
struct Sampled {
  std::vector<int64_t> group;  // pictures of one caption have one number; empty without captions
  NetworkOutput output;
};

Sampled sample(const PictureDataset& dataset, int64_t count, FeatureNetwork& network, const PictureEvalSettings& s,
               const char* name) {
  const RandomKey key = RandomKey{.seed = uint64_t(s.seed)}.fork("pictures").fork(name);
  const std::vector<int64_t> rows = draw_rows(int64_t(dataset.samples.size()), count, key).to_vector<int64_t>();
  Sampled sampled{{}, picture_features(dataset, rows, network, s.batch_size)};
  if (!dataset.has_captions) return sampled;
  std::map<std::string_view, int64_t> numbers;
  for (int64_t row : rows)
    sampled.group.push_back(
        numbers.emplace(dataset.samples[size_t(row)].caption, int64_t(numbers.size())).first->second);
  return sampled;
}

Json diversity_json(const Sampled& sampled) {
  Json json = Json::object().set("vendi", vendi_score(sampled.output.features));
  const std::optional<double> within =
      sampled.group.empty() ? std::nullopt : group_diversity(sampled.output.features, sampled.group);
  return json.set("within_prompt", within ? Json(*within) : Json());
}

Json inception_json(const Sampled& sampled, const std::vector<ClassifierHead>& heads, int64_t splits) {
  Json json = Json::object();
  for (size_t h = 0; h < heads.size(); ++h) {
    const auto [first, last] = columns_of(heads, h);
    const InceptionScore score = inception_score(slice(sampled.output.logits, 1, first, last), splits);
    json.set(
        heads[h].name,
        Json::object().set("mean", score.mean).set("std", score.deviation).set("classes", heads[h].classes.size()));
  }
  return json;
}

/// What can be said of one folder alone.
void describe(Json& json, const Sampled& sampled, const std::vector<ClassifierHead>& heads, int64_t splits) {
  json.set("diversity", diversity_json(sampled));
  if (!heads.empty()) json.set("inception_score", inception_json(sampled, heads, splits));
}

int64_t sample_count(const PictureDataset& images, const PictureDataset* real, const PictureEvalSettings& s) {
  const int64_t there = int64_t(images.samples.size());
  const int64_t least = real ? std::min(there, int64_t(real->samples.size())) : there;
  const int64_t count = s.num_samples.value_or(least);
  require<UsageError>(count <= least, "eval: --num_samples {} are more than there are ({} in {}{}); lower it", count,
                      there, s.images, real ? fmt::format(", {} in {}", real->samples.size(), s.real) : "");
  require<UsageError>(count >= 2 && count >= s.splits,
                      "eval: there must be two pictures and one a split ({} pictures, {} splits); give more pictures",
                      count, s.splits);
  return count;
}

}  // namespace

Json evaluate_pictures(const PictureEvalSettings& s) {
  const std::unique_ptr<FeatureNetwork> network = load_feature_network(s.features);
  const PictureDataset images = read_picture_dataset(s.images);
  std::optional<PictureDataset> real;
  if (!s.real.empty()) real = read_picture_dataset(s.real);
  const int64_t count = sample_count(images, real ? &*real : nullptr, s);
  const FeatureSpace& space = network->space();
  Json json = Json::object().set("folder", s.images).set("num_samples", count);
  json.set("features", Json::object()
                           .set("folder", s.features)
                           .set("network", space.network)
                           .set("output", space.output)
                           .set("dimensions", space.dimensions)
                           .set("weights_sha256", space.weights_sha256));
  const Sampled ours = sample(images, count, *network, s, "images");
  describe(json, ours, network->heads(), s.splits);
  if (!real) return json;
  const Sampled theirs = sample(*real, count, *network, s, "real");
  // Subsets as large as the set would all be the same, and scatter nothing.
  constexpr int64_t kUsualSubset = 1000;
  const KernelDistanceOptions options{
      .subsets = s.kernel_subsets,
      .subset_size = s.kernel_subset_size.value_or(std::clamp<int64_t>(count / 2, 2, kUsualSubset))};
  const KernelDistance kernel = kernel_distance(ours.output.features, theirs.output.features, options,
                                                RandomKey{.seed = uint64_t(s.seed)}.fork("kernel"));
  json.set("frechet", frechet_distance(ours.output.features, theirs.output.features));
  json.set("kernel", Json::object()
                         .set("mean", kernel.mean)
                         .set("std", kernel.deviation)
                         .set("subsets", s.kernel_subsets)
                         .set("subset_size", kernel.subset_size));
  Json described = Json::object().set("folder", s.real);
  describe(described, theirs, network->heads(), s.splits);
  return json.set("real", std::move(described));
}

std::string format_pictures(const Json& images) {
  const Json& features = images.at("features");
  std::string text = fmt::format("{} pictures of {}; {} ({}, {} dimensions)\n", images.at("num_samples").as_integer(),
                                 images.at("folder").as_string(), features.at("network").as_string(),
                                 features.at("output").as_string(), features.at("dimensions").as_integer());
  const auto line = [&](const std::string& name, const std::string& value) {
    text += fmt::format("{:<28} {}\n", name, value);
  };
  const auto both = [&](const char* key, const std::string& name, auto value_of) {
    const Json* real = images.find("real");
    line(name, value_of(images.at(key)) + (real ? "  (real pictures " + value_of(real->at(key)) + ")" : ""));
  };
  if (const Json* kernel = images.find("kernel")) {
    line("Fréchet distance", fmt::format("{:.4f}", images.at("frechet").as_number()));
    line("kernel distance", fmt::format("{:.5f} ± {:.5f} over {} subsets of {}", kernel->at("mean").as_number(),
                                        kernel->at("std").as_number(), kernel->at("subsets").as_integer(),
                                        kernel->at("subset_size").as_integer()));
  }
  if (const Json* heads = images.find("inception_score"))
    for (const auto& [name, score] : heads->as_object())
      both("inception_score", "Inception-style, " + name, [&, head = name](const Json& json) {
        const Json& found = json.at(head);
        return fmt::format("{:.3f} ± {:.3f} of {}", found.at("mean").as_number(), found.at("std").as_number(),
                           found.at("classes").as_integer());
      });
  both("diversity", "Vendi score",
       [](const Json& json) { return fmt::format("{:.2f}", json.at("vendi").as_number()); });
  both("diversity", "diversity within a prompt", [](const Json& json) {
    const Json& within = json.at("within_prompt");
    return within.is_null() ? std::string("-") : fmt::format("{:.4f}", within.as_number());
  });
  return text;
}

}  // namespace plumb
