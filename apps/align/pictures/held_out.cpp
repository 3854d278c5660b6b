#include "apps/align/pictures/held_out.h"

#include <algorithm>

#include "engine/format.h"

namespace plumb {
namespace {

constexpr int64_t kBins = 10;

PairReaderOptions plain(PairReaderOptions options) {
  options.losers = true;
  options.negatives = false;
  options.downgrade.reset();
  options.proportion_empty_prompts = 0;
  options.transform.random_flip = false;
  options.transform.center_crop = true;
  return options;
}

}  // namespace

HeldOut::HeldOut(const PictureAlignSettings& settings, const PairReaderOptions& reading, const PreferenceDataset& data,
                 Pipeline& pipeline, const RandomKey& key)
    : count_(int64_t(data.samples.size())),
      batch_(std::min(settings.batch, count_)),
      key_(key),
      reader_(plain(reading), data, pipeline,
              [this](int64_t batch) { return in_order(batch, count_, batch_, key_.fork("read")); }) {}

HeldOut::Found HeldOut::measure(const Models& models) {
  const int64_t all_timesteps = models.schedule.num_train_timesteps(), bins = std::min(kBins, all_timesteps);
  const std::vector<int64_t> timesteps = judged_timesteps(all_timesteps, bins, 1);
  Found found{.accuracy_by_bin = std::vector<double>(size_t(bins))};
  const bool is_first = initial_.empty();
  size_t number = 0;
  for (int64_t first = 0; first < count_; first += batch_) {
    const PreferencePairs pairs = reader_.at(first / batch_);
    const JudgedPairs judged{.winners = pairs.winners,
                             .losers = pairs.losers,
                             .first = first,
                             .schedule = &models.schedule,
                             .prediction = models.prediction};
    const auto margins_of = [&](Denoiser& model, int64_t t) {
      return preference_margins({&model, pairs.condition}, nullptr, judged, t, key_);
    };
    for (size_t bin = 0; bin < timesteps.size(); ++bin) {
      if (is_first)
        for (const double margin : margins_of(models.initial, timesteps[bin])) initial_.push_back(margin);
      for (const double student : margins_of(models.student, timesteps[bin])) {
        const double margin = student - initial_[number++];
        found.margin += margin / double(count_ * bins);
        found.accuracy_by_bin[bin] += (margin < 0 ? 1 : margin == 0 ? 0.5 : 0) / double(count_);
      }
    }
  }
  for (const double accuracy : found.accuracy_by_bin) found.accuracy += accuracy / double(bins);
  return found;
}

NamedValues HeldOut::log_of(const Found& found) {
  NamedValues log{{"validation_accuracy", found.accuracy}, {"validation_margin", found.margin}};
  for (size_t bin = 0; bin < found.accuracy_by_bin.size(); ++bin)
    log.emplace_back(fmt::format("validation_accuracy_bin{}", bin), found.accuracy_by_bin[bin]);
  return log;
}

}  // namespace plumb
