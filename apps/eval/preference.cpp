#include "apps/eval/preference.h"

#include <algorithm>
#include <map>

#include "apps/common/exit_codes.h"
#include "apps/common/interval_json.h"
#include "apps/common/picture_shape.h"
#include "apps/common/progress.h"
#include "engine/format.h"
#include "engine/require.h"
#include "nn/visitors.h"

namespace plumb {
namespace {

PreferenceDataset read_pairs(const PreferenceEvalSettings& s) {
  PreferenceDataset data = read_preference_dataset(s.pairs);
  require<UsageError>(!data.is_unpaired() && data.has_losers(),
                      "eval: --pairs must have a winner and a loser in every row ({}); make them with plumb pairs",
                      s.pairs);
  const int64_t count = int64_t(data.samples.size());
  require<UsageError>(s.num_pairs.value_or(1) <= count, "eval: --num_pairs {} are more than there are ({} in {})",
                      s.num_pairs.value_or(0), count, s.pairs);
  data.samples.resize(size_t(s.num_pairs.value_or(count)));
  return data;
}

Pipeline load_on(const std::string& path, Device device) {
  Pipeline pipeline = load_pipeline(path);
  require<UsageError>(pipeline.unet != nullptr, "eval: the model must have a unet ({})", path);
  for (const PipelineModule& part : modules_of(pipeline)) set_requires_grad(*part.module, false);
  to_device(pipeline, device);
  return pipeline;
}

/// Two models can be compared when one noised picture means the same to both.
void require_alike(const Pipeline& model, const Pipeline& reference, const PreferenceEvalSettings& s) {
  require<UsageError>(prediction_of(model.scheduler) == prediction_of(reference.scheduler),
                      "eval: --model and --reference must predict the same ({} in {}, {} in {})",
                      name_of(prediction_of(model.scheduler)), s.model, name_of(prediction_of(reference.scheduler)),
                      s.reference);
  require<UsageError>(
      model.unet->in_channels() == reference.unet->in_channels() && reduction_of(model) == reduction_of(reference),
      "eval: --model and --reference must take pictures of one shape ({} channels and {})", model.unet->in_channels(),
      reference.unet->in_channels());
  require<UsageError>(training_schedule(model.scheduler).alphas_cumprod().to_vector<double>() ==
                          training_schedule(reference.scheduler).alphas_cumprod().to_vector<double>(),
                      "eval: --model and --reference must have one noise schedule ({}, {})", s.model, s.reference);
}

}  // namespace

PreferenceEval::PreferenceEval(const PreferenceEvalSettings& settings)
    : settings_(settings),
      data_(read_pairs(settings)),
      model_(load_on(settings.model, settings.device)),
      schedule_(training_schedule(model_.scheduler)),
      key_(RandomKey{.seed = uint64_t(settings.seed)}.fork("preference")) {
  judged_timesteps(schedule_.num_train_timesteps(), settings_.bins, settings_.timesteps);  // throws when impossible
  if (!settings_.reference.empty()) {
    reference_ = load_on(settings_.reference, settings_.device);
    require_alike(model_, *reference_, settings_);
  }
  const auto plan_of = [this](int64_t batch) {
    return in_order(batch, int64_t(data_.samples.size()), settings_.batch_size, key_.fork("read"));
  };
  reader_ = std::make_unique<PairReader>(reading(), data_, model_, plan_of);
  if (reference_) reference_reader_ = std::make_unique<PairReader>(reading(), data_, *reference_, plan_of);
}

PairReaderOptions PreferenceEval::reading() const {
  const int64_t channels = model_.vae ? model_.vae->options().in_channels : model_.unet->in_channels();
  return {.transform = {.resolution = resolution_of("eval", model_, settings_.resolution),
                        .center_crop = true,
                        .channels = channels},
          .device = settings_.device,
          .quiet = settings_.quiet};
}

std::vector<double> PreferenceEval::margins(const std::vector<int64_t>& timesteps) {
  const int64_t count = int64_t(data_.samples.size());
  std::vector<double> margins(size_t(count) * timesteps.size());
  Progress progress({.description = "Pairs", .total = count, .quiet = settings_.quiet});
  int64_t first = 0;
  for (int64_t batch = 0; first < count; ++batch) {
    const PreferencePairs pairs = reader_->at(batch);
    const PreferenceJudge judge{model_.unet.get(), pairs.condition};
    PreferenceJudge reference{};
    if (reference_) reference = {reference_->unet.get(), reference_reader_->at(batch).condition};
    const JudgedPairs judged{.winners = pairs.winners,
                             .losers = pairs.losers,
                             .first = first,
                             .schedule = &schedule_,
                             .prediction = prediction_of(model_.scheduler)};
    for (size_t k = 0; k < timesteps.size(); ++k) {
      const std::vector<double> found =
          preference_margins(judge, reference_ ? &reference : nullptr, judged, timesteps[k], key_);
      for (size_t i = 0; i < found.size(); ++i) margins[(size_t(first) + i) * timesteps.size() + k] = found[i];
    }
    first += pairs.size();
    progress.update(first);
  }
  return margins;
}

Json PreferenceEval::report(const std::vector<int64_t>& timesteps, const std::vector<double>& margins) const {
  std::map<std::string_view, int64_t> prompts;
  for (const PreferenceSample& sample : data_.samples) prompts.emplace(sample.prompt, 0);
  int64_t number = 0;
  for (auto& [prompt, cluster] : prompts) cluster = number++;
  // Columns: accuracy and margin of every bin, then of all.
  const int64_t bins = settings_.bins, columns = 2 * (bins + 1);
  ClusterTable table{.columns = columns, .stratum = std::vector<int64_t>(prompts.size(), 0)};
  table.sum.resize(prompts.size() * size_t(columns));
  table.count.resize(table.sum.size());
  for (size_t i = 0; i < data_.samples.size(); ++i)
    for (size_t k = 0; k < timesteps.size(); ++k) {
      const double margin = margins[i * timesteps.size() + k], right = margin < 0 ? 1 : margin == 0 ? 0.5 : 0;
      for (int64_t bin : {int64_t(k) / settings_.timesteps, bins}) {
        table.add(0, prompts.at(data_.samples[i].prompt), 2 * bin, right);
        table.add(0, prompts.at(data_.samples[i].prompt), 2 * bin + 1, margin);
      }
    }
  const BootstrapMeans means = bootstrap_means(table, settings_.bootstrap, key_.fork("bootstrap"));
  Json list = Json::array(), judged = Json::array();
  const int64_t all_timesteps = schedule_.num_train_timesteps();
  for (int64_t bin = 0; bin < bins; ++bin)
    list.push_back(Json::object()
                       .set("begin", (bin * all_timesteps + bins - 1) / bins)
                       .set("end", ((bin + 1) * all_timesteps + bins - 1) / bins)
                       .set("accuracy", to_json(means.all[size_t(2 * bin)]))
                       .set("margin", to_json(means.all[size_t(2 * bin + 1)])));
  for (int64_t t : timesteps) judged.push_back(t);
  Json json = Json::object().set("model", settings_.model);
  json.set("reference", settings_.reference.empty() ? Json() : Json(settings_.reference));
  json.set("pairs_folder", settings_.pairs).set("pairs", data_.samples.size()).set("prompts", prompts.size());
  json.set("timesteps", std::move(judged)).set("accuracy", to_json(means.all[size_t(2 * bins)]));
  return json.set("margin", to_json(means.all[size_t(2 * bins + 1)])).set("bins", std::move(list));
}

Json PreferenceEval::measure(const std::string& cache) {
  reader_->prepare(cache);
  if (reference_reader_) reference_reader_->prepare(cache);
  const std::vector<int64_t> timesteps =
      judged_timesteps(schedule_.num_train_timesteps(), settings_.bins, settings_.timesteps);
  return report(timesteps, margins(timesteps));
}

std::string format_preference(const Json& preference) {
  const auto cells = [](const Json& row) {
    const auto text = [](const Json& interval, int digits) {
      if (interval.at("low").is_null()) return fmt::format("{:.{}f}", interval.at("mean").as_number(), digits);
      return fmt::format("{:.{}f} [{:.{}f}, {:.{}f}]", interval.at("mean").as_number(), digits,
                         interval.at("low").as_number(), digits, interval.at("high").as_number(), digits);
    };
    return fmt::format("{:<22} {}\n", text(row.at("accuracy"), 3), text(row.at("margin"), 6));
  };
  const Json& reference = preference.at("reference");
  std::string text = fmt::format("{} pairs of {} prompts, {}\n", preference.at("pairs").as_integer(),
                                 preference.at("prompts").as_integer(),
                                 reference.is_null() ? "without reference" : "against " + reference.as_string());
  text += fmt::format("{:<12} {:<22} margin (smaller is better)\n{:<12} {}", "timesteps", "preference accuracy", "all",
                      cells(preference));
  for (const Json& bin : preference.at("bins").as_array())
    text += fmt::format("{:<12} {}", fmt::format("{}-{}", bin.at("begin").as_integer(), bin.at("end").as_integer() - 1),
                        cells(bin));
  return text;
}

}  // namespace plumb
