#include "apps/align/pictures/pair_reader.h"

#include <algorithm>
#include <numeric>

#include "align/downgrade/random_image.h"
#include "apps/common/exit_codes.h"
#include "apps/common/picture_shape.h"
#include "autograd/grad_mode.h"
#include "diffusion/text_encoding.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/random/fills.h"
#include "engine/require.h"

namespace plumb {
namespace {

bool is_random_image(const std::optional<DowngradeOptions>& downgrade) {
  return downgrade && downgrade->kind == DowngradeKind::random_image;
}

}  // namespace

PairPlan in_order(int64_t batch, int64_t count, int64_t size, const RandomKey& key) {
  const int64_t first = batch % ((count + size - 1) / size) * size;
  PairPlan plan{.pairs = std::vector<int64_t>(size_t(std::min(size, count - first))),
                .key = key.at_sample(uint64_t(first))};
  std::iota(plan.pairs.begin(), plan.pairs.end(), first);
  return plan;
}

PairReader::PairReader(const PairReaderOptions& options, const PreferenceDataset& data, Pipeline& pipeline,
                       PlanOf plan_of)
    : options_(options),
      data_(data),
      pipeline_(pipeline),
      plan_of_(std::move(plan_of)),
      shape_(sample_shape(pipeline, options.transform.resolution)),
      size_ids_(pipeline.text_encoder_2 != nullptr),
      prompts_(data, pipeline),
      pictures_(pictures_of(data)) {
  check();
}

void PairReader::check() const {
  const bool wanted = options_.losers && !options_.downgrade;
  require<UsageError>(!wanted || data_.has_losers(),
                      "align: the objective compares winners with losers, and not every pair has one; give "
                      "--loser_source rand_positive or not_paired, or an objective without (sft, dspo_e, self_dpo)");
  require<UsageError>(!options_.negatives || prompts_.told(),
                      "align: --policy training_free reads c-, and the network is told nothing; choose another policy");
  require<UsageError>(!options_.negatives || data_.has_negatives(),
                      "align: --policy training_free reads c-, and not every pair has one (neg_prompt, neg_prompts); "
                      "add them, or choose --policy forward");
  require<UsageError>(options_.proportion_empty_prompts == 0 || prompts_.has_empty(),
                      "align: --proportion_empty_prompts {}: the network looks at no text; leave it out",
                      options_.proportion_empty_prompts);
  require<UsageError>(!data_.latents || !pipeline_.vae || !options_.downgrade || is_random_image(options_.downgrade),
                      "align: --downgrade blur and random_grid are made of pixels, and the data are latents; give "
                      "pictures, or random_image");
  require<UsageError>(!is_random_image(options_.downgrade) || data_.samples.size() >= 2,
                      "align: --downgrade random_image needs at least two pairs ({})", data_.samples.size());
}

void PairReader::prepare(const std::string& folder) {
  prompts_.prepare(folder, options_.quiet);
  if (data_.latents) return;
  // Downgrades of pixels come before the autoencoder.
  const bool pixels = options_.downgrade && !is_random_image(options_.downgrade);
  if (pipeline_.vae && options_.cache_latents && options_.transform.center_crop && !pixels) {
    latents_ = std::make_unique<train::Latents>(train::LatentsOptions{.transform = options_.transform,
                                                                      .workers = options_.workers,
                                                                      .folder = folder,
                                                                      .device = options_.device,
                                                                      .quiet = options_.quiet},
                                                pictures_, pipeline_);
    return;
  }
  winners_ = loader(false, false);
  taken_winners_ = loader(false, true);
  if (!options_.losers) return;
  losers_ = loader(true, false);
  taken_losers_ = loader(true, true);
}

RandomKey PairReader::crop_key(const RandomKey& key, bool losers) const {
  return key.fork(losers && options_.independent_transforms ? "loser crop" : "crop");
}

bool PairReader::draws_others(const PairPlan& plan) const {
  return is_random_image(options_.downgrade) && plan.pairs.size() == 1;
}

std::vector<int64_t> PairReader::pictures_of_half(const PairPlan& plan, bool losers) const {
  if (!losers) return plan.pairs;
  const int64_t count = int64_t(data_.samples.size());
  if (draws_others(plan))
    return draw_others(from_vector(plan.pairs, {int64_t(plan.pairs.size())}), count, plan.key.fork("transform"))
        .to_vector<int64_t>();
  std::vector<int64_t> pictures = plan.pairs;
  for (int64_t& picture : pictures) picture += count;
  return pictures;
}

std::unique_ptr<PictureLoader> PairReader::loader(bool losers, bool taken) {
  const auto plan_of = [this, losers, taken](int64_t batch) {
    const PairPlan plan = taken ? *taken_ : plan_of_(batch);
    return PictureLoader::Plan{pictures_of_half(plan, losers), crop_key(plan.key, losers)};
  };
  return std::make_unique<PictureLoader>(
      pictures_, options_.transform, plan_of,
      PictureLoaderOptions{.workers = taken ? 0 : options_.workers, .memory = taken ? 0 : options_.memory / 2});
}

Tensor PairReader::read_stored(const std::vector<int64_t>& pictures) const {
  std::vector<Tensor> rows;
  for (const int64_t picture : pictures) {
    const PictureSource& source = pictures_.samples[size_t(picture)].source;
    const Tensor latents = read_latents(source);
    require<IoError>(latents.shape() == shape_, "{}: latents must be {} for this model ({})", source.name(), shape_,
                     latents.shape());
    rows.push_back(unsqueeze(latents, 0));
  }
  return cat(rows, 0);
}

PairReader::Half PairReader::read(int64_t batch, const PairPlan& plan, bool losers) {
  if (data_.latents) {
    const int64_t side = options_.transform.resolution;
    return {read_stored(pictures_of_half(plan, losers)).to(options_.device),
            std::vector<PictureOrigin>(plan.pairs.size(), {.height = side, .width = side})};
  }
  if (latents_) {
    const std::vector<int64_t> pictures = pictures_of_half(plan, losers);
    return {latents_->moments(pictures, crop_key(plan.key, losers)).to(options_.device), latents_->origins(pictures)};
  }
  PictureLoader& loader = taken_ ? losers ? *taken_losers_ : *taken_winners_ : losers ? *losers_ : *winners_;
  PictureBatch found = loader.at(batch);
  return {found.pixels.to(options_.device), std::move(found.origins)};
}

Tensor PairReader::seen(const Tensor& rows, const RandomKey& key) const {
  if (!pipeline_.vae || data_.latents) return rows;
  const NoGrad no_grad;
  const DiagonalGaussian found(Variable(latents_ ? rows : train::moments_of(*pipeline_.vae, rows)));
  return pipeline_.vae->scaled(found.sample(key)).value();
}

PreferencePairs PairReader::at(int64_t batch) { return made(batch, plan_of_(batch)); }

PreferencePairs PairReader::take(const PairPlan& plan) {
  taken_ = plan;
  PreferencePairs pairs = made(takes_++, plan);
  taken_.reset();
  return pairs;
}

PreferencePairs PairReader::made(int64_t batch, const PairPlan& plan) {
  const Half winners = read(batch, plan, false);
  PreferencePairs pairs{.winners = winners.rows, .losers = winners.rows, .condition = {}, .negative = {}};
  if (options_.losers) {
    if (!options_.downgrade || draws_others(plan))
      pairs.losers = read(batch, plan, true).rows;
    else
      pairs = Downgrade(*options_.downgrade)(pairs, plan.key.fork("transform"));
  }
  pairs.winners = seen(pairs.winners, plan.key.fork("latents"));
  pairs.losers = options_.losers ? seen(pairs.losers, plan.key.fork("loser latents")) : pairs.winners;
  if (data_.samples[size_t(plan.pairs.front())].label != 0) {  // judged one by one
    std::vector<float> labels;
    for (const int64_t sample : plan.pairs) labels.push_back(float(data_.samples[size_t(sample)].label));
    pairs.labels = from_vector(labels, {int64_t(labels.size())}).to(options_.device);
  }
  set_conditions(plan, winners.origins, pairs);
  return pairs;
}

void PairReader::set_conditions(const PairPlan& plan, const std::vector<PictureOrigin>& origins,
                                PreferencePairs& pairs) const {
  if (!prompts_.told()) return;
  const int64_t count = int64_t(plan.pairs.size());
  std::vector<float> chance(size_t(count), 1.0f);
  if (options_.proportion_empty_prompts > 0) fill_uniform(plan.key.fork("empty prompt"), {count, 1}, chance.data());
  std::vector<int64_t> positive, negative;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t pair = plan.pairs[size_t(i)];
    const bool empty = double(chance[size_t(i)]) < options_.proportion_empty_prompts;
    positive.push_back(empty ? Prompts::kEmpty : prompts_.positive(pair));
    if (!options_.negatives) continue;
    const std::vector<int64_t>& variants = prompts_.negatives(pair);
    int64_t drawn = 0;
    if (variants.size() > 1)
      fill_randint(plan.key.fork("negative").at_sample(plan.key.sample0 + uint64_t(i)), {1, 1}, 0,
                   int64_t(variants.size()), &drawn);
    negative.push_back(empty ? Prompts::kEmpty : variants[size_t(drawn)]);
  }
  pairs.condition = prompts_.of(positive);
  if (options_.negatives) pairs.negative = prompts_.of(negative);
  if (size_ids_) {
    std::vector<Tensor> ids;
    const int64_t side = options_.transform.resolution;
    for (const PictureOrigin& origin : origins)
      ids.push_back(size_ids({origin.height, origin.width, origin.top, origin.left, side, side}, 1));
    pairs.condition.time_ids = cat(ids, 0);
    if (options_.negatives) pairs.negative.time_ids = pairs.condition.time_ids;
  }
  pairs.condition = pairs.condition.to(options_.device);
  pairs.negative = pairs.negative.to(options_.device);
}

}  // namespace plumb
