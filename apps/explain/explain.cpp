#include "apps/explain/explain.h"

#include <cstdio>

#include "apps/common/epoch_order.h"
#include "apps/common/globals.h"
#include "apps/explain/explain_pair.h"
#include "apps/toy2d/reference_model.h"
#include "engine/require.h"
#include "nn/state_dict.h"

namespace plumb {
namespace {

struct Settings {
  AlignSettings align = {};
  PairChoice choice = {};
  std::string student = {};
  int64_t student_steps = 10;
  int64_t reference_steps = 300;
};

void add_flags(Flags& flags, Settings& s) {
  add_objective_flags(flags, s.align.objective, s.align.models.policy.name);
  flags.add("--t", s.choice.t, "timestep [drawn from --seed]", non_negative());
  flags.add("--pair", s.choice.pair, "which pair of the set", non_negative());
  flags.add("--model", s.align.model, "the reference's folder; else a small one is trained on the 2D world")
      .shown_as("FOLDER");
  flags.add("--student", s.student, "the student's folder; else the reference after --student_steps")
      .shown_as("FOLDER");
  flags.add("--student_steps", s.student_steps, "steps of the objective before, 0: student = reference",
            between(0, 100000));
  flags.add("--data", s.align.data, "pairs, as plumb pairs writes them; else of the clean world").shown_as("FILE");
  flags.add("--learning_rate", s.align.optimizer.adam.learning_rate, "of those steps", positive()).advanced();
  flags.add("--reference_steps", s.reference_steps, "of the small reference", between(1, 1'000'000)).advanced();
  flags.add("--pairs_per_class", s.align.pairs.pairs_per_class, "of the clean world", between(1, 1'000'000)).advanced();
  flags.add("--independent_noise", s.align.trainer.independent_noise, "the loser gets noise of its own").advanced();
  add_reward_scale_flag(flags, s.align.trainer.reward_scale);
  flags.add_global(s.align.global);
  flags.example("plumb explain --objective ddspo --policy training_free --t 40");
}

PointModel reference_for(const Settings& s) {
  if (!s.align.model.empty()) return load_point_model(s.align.model);
  toy2d::Settings toy;
  toy.reference_steps = s.reference_steps;
  toy.training_samples_per_class = 1000;
  const Gaussians2d world(toy.world);
  const RandomKey key = RandomKey{.seed = uint64_t(s.align.global.seed)}.fork("reference");
  return {toy2d::train_reference(toy, world, NoiseSchedule(toy.schedule), key), toy.schedule, Prediction::epsilon};
}

/// The other model's weights, which must be of the same kind.
void take_student(AlignSetup& setup, const std::string& folder) {
  PointModel student = load_point_model(folder);
  require<UsageError>(student.prediction == setup.models.prediction() &&
                          student.schedule.num_train_timesteps == setup.models.schedule().num_train_timesteps(),
                      "explain: {} predicts {} over {} timesteps, the reference {} over {}; give models of one kind",
                      folder, name_of(student.prediction), student.schedule.num_train_timesteps,
                      name_of(setup.models.prediction()), setup.models.schedule().num_train_timesteps());
  load_state_dict(setup.models.student(), state_dict(*student.network));
}

}  // namespace

int run_explain(const Arguments& arguments) {
  Settings settings;
  AlignSettings& align = settings.align;
  Flags flags("explain", "one preference pair at one t, with every number on the way to the gradient; writes nothing");
  add_flags(flags, settings);
  if (!flags.parse(arguments)) return kExitDone;
  apply_globals(align.global);
  require<UsageError>(settings.student.empty() || !align.model.empty(),
                      "explain: --student {} needs the reference it came from; give --model", settings.student);

  PointModel model = reference_for(settings);
  PreferencePairs pairs = pairs_for(align, model);
  align.trainer.divergence_every = 0;
  resolve(align);
  const RandomKey key = RandomKey{.seed = uint64_t(align.global.seed)}.fork("explain");
  AlignSetup setup(align, std::move(model), std::move(pairs), key);
  if (!settings.student.empty()) {
    take_student(setup, settings.student);
  } else {
    EpochOrder order(setup.pairs.size(), align.batch, key);
    for (int64_t step = 0; step < settings.student_steps; ++step)
      setup.trainer.step(setup.pairs.take(order.at(step)), key.at_step(uint64_t(step)));
  }
  const Json explanation = explain_pair(setup, align, settings.choice, key.fork("pair"));
  const std::string text = align.global.json ? explanation.dump(2) + "\n" : format_explanation(explanation);
  std::fputs(text.c_str(), stdout);
  return kExitDone;
}

}  // namespace plumb
