#include "apps/plan/forwards.h"

#include "apps/align/models.h"
#include "engine/ops/random/random.h"
#include "nn/optim/sgd.h"

namespace plumb::plan {
namespace {

/// A small network that counts the rows it is asked for. Clones count in the same place.
class CountingDenoiser final : public Denoiser {
 public:
  CountingDenoiser(const PointDenoiserOptions& options, Init init, int64_t& rows)
      : inner_(std::make_unique<PointDenoiser>(options, init)), rows_(rows) {}
  explicit CountingDenoiser(const CountingDenoiser& other) : inner_(clone(*other.inner_)), rows_(other.rows_) {}

  Variable predict(const Variable& x, const Tensor& t, const Condition& condition) override {
    rows_ += x.size(0);
    return inner_->predict(x, t, condition);
  }
  void visit(ModuleVisitor& visitor) override { inner_->visit(visitor); }
  std::unique_ptr<Module> clone_module() const override { return std::make_unique<CountingDenoiser>(*this); }

 private:
  std::unique_ptr<PointDenoiser> inner_;
  int64_t& rows_;
};

constexpr int64_t kPairs = 4, kClasses = 3;
constexpr int64_t kMoveAt = 2;  // the reference moves after this step

PreferencePairs any_pairs() {
  const RandomKey key{.seed = 1};
  return {.winners = randn(key.fork("winners"), {kPairs, 2}),
          .losers = randn(key.fork("losers"), {kPairs, 2}),
          .condition = {.labels = randint(key.fork("c"), 0, kClasses, {kPairs})},
          .negative = {.labels = randint(key.fork("c-"), 0, kClasses, {kPairs})}};
}

}  // namespace

Forwards count_forwards(std::string_view objective, const ObjectiveSettings& settings, std::string_view policy) {
  const PointDenoiserOptions tiny{.classes = kClasses, .hidden = 2, .hidden_layers = 1};
  Generator generator(0);
  int64_t student_rows = 0, frozen_rows = 0;
  CountingDenoiser student(tiny, generator, student_rows), initial(tiny, generator, frozen_rows),
      moving(tiny, generator, frozen_rows);
  const NoiseSchedule schedule({.num_train_timesteps = 10, .beta_start = 1e-3, .beta_end = 0.2});
  const PreferencePairs pairs = any_pairs();
  const Gaussians2d world({.classes = kClasses});
  const std::unique_ptr<PolicyPair> pair = make_policy({.name = std::string(policy), .data_driven = {.steps = 0}},
                                                       {initial, world, schedule, pairs, RandomKey{}});
  const std::unique_ptr<Objective> made = make_objective(objective, settings);
  Sgd optimizer(parameters(student), {.learning_rate = 0});
  PreferenceTrainer trainer(
      {.student = &student,
       .initial = &initial,
       .objective = made.get(),
       .policy = pair.get(),
       .schedule = &schedule,
       .optimizer = &optimizer,
       .moving = {.model = &moving, .source = parameters(student), .destination = parameters(moving)}},
      {.reference_update = ReferenceUpdateOptions{.tau = kMoveAt, .delta = 1e30}});
  const auto rows_of_step = [&](uint64_t step) {
    student_rows = frozen_rows = 0;
    trainer.step(pairs, RandomKey{.step = step});
    return std::pair{double(student_rows) / kPairs, double(frozen_rows) / kPairs};
  };
  const auto [student_share, frozen] = rows_of_step(0);
  rows_of_step(1);  // whose own rows are the update's
  return {student_share, frozen, rows_of_step(2).second};
}

}  // namespace plumb::plan
