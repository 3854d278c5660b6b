#include "apps/trace/step.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "apps/common/exit_codes.h"
#include "apps/common/nearest.h"
#include "autograd/backward.h"
#include "autograd/grad_mode.h"
#include "diffusion/denoising_loss.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"
#include "nn/optim/clip.h"
#include "nn/visitors.h"

namespace plumb::trace {
namespace {

constexpr const char* kDenoising = "denoising";

TracedNetwork make_network(const StepSettings& settings, Generator& generator) {
  TracedNetwork network = find_network(settings.network).make(settings.sizes, generator);
  to_device(*network.denoiser, settings.device);
  return network;
}

}  // namespace

struct TracedStep::Batch {
  Tensor x, noise, t;
  Tensor reference;  // what an objective's frozen model would have predicted
  Condition condition;
};

void check_loss(const StepSettings& settings) {
  std::vector<std::string> names{kDenoising};
  for (const ObjectiveEntry& entry : objective_table()) names.emplace_back(entry.name);
  const std::string& loss = settings.loss;
  if (std::find(names.begin(), names.end(), loss) == names.end()) {
    const std::string near = nearest(loss, names);
    raise<UsageError>("trace: --objective expects one of {} (got \"{}\"){}", fmt::join(names, ", "), loss,
                      near.empty() ? "" : "; did you mean " + near + "?");
  }
  require<UsageError>(settings.set.empty() || loss != kDenoising, "trace: --set needs --objective NAME");
}

TracedStep::TracedStep(const StepSettings& settings)
    : settings_(settings),
      generator_(uint64_t(settings.seed)),
      network_(make_network(settings, generator_)),
      batch_(settings.batch > 0 ? settings.batch : find_network(settings.network).batch),
      objective_(settings.loss == kDenoising ? nullptr : make_objective(settings.loss, settings.set)),
      schedule_({.num_train_timesteps = 1000}),
      optimizer_(
          settings.part == Part::forward
              ? nullptr
              : std::make_unique<AdamW>(trainable(parameters(*network_.denoiser)),
                                        AdamSettings{.learning_rate = settings.learning_rate, .weight_decay = 1e-2})) {}

int64_t TracedStep::parameter_count() { return count(parameters(*network_.denoiser)); }

TracedStep::Batch TracedStep::draw(const RandomKey& key) const {
  const bool pairs = objective_ && objective_->uses_losers();
  const int64_t rows = pairs ? 2 * batch_ : batch_;
  Shape shape{rows};
  for (int64_t size : network_.sample) shape.push_back(size);
  const Device device = settings_.device;
  Batch batch{randn(key.fork("x"), shape, DType::f32, device),
              randn(key.fork("noise"), shape, DType::f32, device),
              randint(key.fork("t"), 0, schedule_.num_train_timesteps(), {rows}, device),
              {},
              {}};
  if (objective_) batch.reference = randn(key.fork("reference"), shape, DType::f32, device);
  if (!network_.context.empty())
    batch.condition.context =
        randn(key.fork("context"), {rows, network_.context[0], network_.context[1]}, DType::f32, device);
  if (network_.classes > 0) batch.condition.labels = randint(key.fork("label"), 0, network_.classes, {rows}, device);
  return batch;
}

Variable TracedStep::loss_of(const Batch& batch) {
  Denoiser& network = *network_.denoiser;
  if (!objective_)
    return denoising_loss(network, schedule_, Prediction::epsilon, {batch.x, batch.noise, batch.t, batch.condition});
  return (*objective_)({.pred = network.predict(batch.x, batch.t.to(DType::f32), batch.condition),
                        .ref = batch.reference,
                        .target = batch.noise,
                        .timesteps = batch.t,
                        .num_train_timesteps = schedule_.num_train_timesteps(),
                        .alphas_cumprod = schedule_.alphas_cumprod(batch.t.device()),
                        .pred_roll = batch.reference,
                        .ref_roll = batch.reference,
                        .winners_only = !objective_->uses_losers()})
      .loss;
}

bool TracedStep::run(int64_t step) {
  const Batch batch = [&] {
    const ProfileRange range("data");
    return draw(RandomKey{.seed = uint64_t(settings_.seed), .step = uint64_t(step)}.fork("trace"));
  }();
  std::optional<NoGrad> no_grad;
  if (settings_.part == Part::forward) no_grad.emplace();
  Variable loss = [&] {
    const ProfileRange range("forward");
    return loss_of(batch);
  }();
  loss_ = double(loss.value().item<float>());
  if (settings_.part == Part::forward) return std::isfinite(loss_);
  {
    const ProfileRange range("backward");
    optimizer_->zero_grad();
    backward(loss);
    loss = Variable();
  }
  if (settings_.part == Part::backward) return std::isfinite(loss_);
  const ProfileRange range("optimizer");
  const double norm = clip_grad_norm(optimizer_->arena(), 1.0).item<double>();
  optimizer_->step();
  return std::isfinite(loss_) && std::isfinite(norm);
}

}  // namespace plumb::trace
