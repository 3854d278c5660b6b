#include "apps/align/pictures/held_out.h"

#include <algorithm>
#include <numeric>

#include "autograd/grad_mode.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/ops/loss/sample_error.h"
#include "engine/ops/random/random.h"

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
      reader_(plain(reading), data, pipeline, [this](int64_t batch) {
        const int64_t batches = (count_ + batch_ - 1) / batch_;
        const int64_t first = batch % batches * batch_;  // readers ahead begin anew
        PairPlan plan{.pairs = std::vector<int64_t>(size_t(std::min(batch_, count_ - first))),
                      .key = key_.fork("read").at_sample(uint64_t(first))};
        std::iota(plan.pairs.begin(), plan.pairs.end(), first);
        return plan;
      }) {}

/// f32 [2B], winners first.
Tensor HeldOut::errors(Denoiser& model, const Models& models, const PreferencePairs& pairs, int64_t first,
                       int64_t t) const {
  const NoGrad no_grad;
  const Tensor noise = randn(key_.fork("noise").at_step(uint64_t(t)).at_sample(uint64_t(first)), pairs.winners.shape(),
                             DType::f32, pairs.winners.device());
  const PairDraw draw{.t = full({pairs.size()}, double(t), DType::i64, pairs.winners.device()), .noise = noise};
  const NoisedPairs noised = noise_pairs(models.schedule, models.prediction, pairs, draw);
  return sample_error(model.predict(noised.x, noised.time, noised.condition).value(), noised.target, Reduction::mean);
}

HeldOut::Found HeldOut::measure(const Models& models) {
  const int64_t timesteps = models.schedule.num_train_timesteps(), bins = std::min(kBins, timesteps);
  Found found{.accuracy_by_bin = std::vector<double>(size_t(bins))};
  const bool is_first = initial_.empty();
  size_t number = 0;
  for (int64_t first = 0; first < count_; first += batch_) {
    const PreferencePairs pairs = reader_.at(first / batch_);
    for (int64_t bin = 0; bin < bins; ++bin) {
      const int64_t t = (2 * bin + 1) * timesteps / (2 * bins);
      if (is_first) initial_.push_back(errors(models.initial, models, pairs, first, t));
      const Tensor reference = initial_[number++];
      const Tensor gain = errors(models.student, models, pairs, first, t) - reference;
      const std::vector<float> values = gain.to(kCpu).to_vector<float>();
      for (int64_t i = 0; i < pairs.size(); ++i) {
        const double margin = double(values[size_t(i)]) - double(values[size_t(pairs.size() + i)]);
        found.margin += margin / double(count_ * bins);
        found.accuracy_by_bin[size_t(bin)] += (margin < 0 ? 1 : margin == 0 ? 0.5 : 0) / double(count_);
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
