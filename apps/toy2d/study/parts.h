#pragma once

#include <array>

#include "apps/toy2d/study/run.h"

// The parts of the study, each a list of runs. All of them sample with DDIM-25.

namespace plumb::toy2d {

inline constexpr const char* kControlPart = "controls";
inline constexpr const char* kDspoPart = "dspo";
inline constexpr const char* kTrajectoryPart = "trajectories";
inline constexpr const char* kPairsPart = "pairs_per_class";
inline constexpr const char* kBetaPart = "beta";
inline constexpr const char* kAblationPart = "ablation";
inline constexpr const char* kTimestepPart = "timesteps";
inline constexpr const char* kTunedPart = "tuned";

inline constexpr const char* kSelfDpoWithoutLoss = "self_dpo, no denoising loss";

inline constexpr std::array kDspoTemperatures = {1.0, 10.0, 100.0, 1000.0, 5000.0};
inline constexpr std::array kDspoLambdas = {0.001, 0.01, 0.1, 1.0};
inline constexpr std::array<int64_t, 10> kTrajectorySteps = {0, 10, 25, 50, 75, 100, 150, 200, 300, 500};
inline constexpr std::array<int64_t, 3> kPairsPerClass = {2, 8, 64};
inline constexpr std::array kBetas = {0.01, 0.1, 1.0, 10.0, 100.0, 1000.0};
inline constexpr std::array<int64_t, 3> kAblationTaus = {16, 32, 64};
inline constexpr std::array<int64_t, 2> kAblationSteps = {200, 400};
inline constexpr const char* kAblationBase = "diffusion_dpo";
inline constexpr const char* kExplorer = "exploration, long";
inline constexpr int64_t kEarlySteps = 50, kLateSteps = 300;

/// What a method's success could be put down to instead: SFT with every other method's learning rate and steps; TF-CPP
/// with c- = c, with a c- that is no neighbour, with its branches swapped; DSPO with lambda and temperature set apart.
std::vector<StudyRun> control_runs(const Settings& settings, const std::vector<Method>& methods);

/// Metrics over steps, past the early stop: every method at its own learning rate, and two logit losses at 1e-4.
std::vector<StudyRun> trajectory_runs(const Settings& settings, const std::vector<Method>& methods);

/// N = 2, 8, 64 pairs a class on both pair sources.
std::vector<StudyRun> pairs_runs(const Settings& settings, const std::vector<Method>& methods);

/// Strength of the preference over five orders of magnitude, early (50 steps) and late (300).
std::vector<StudyRun> beta_runs(const Settings& settings, const std::vector<Method>& methods);

/// The ablation of the Rethinking paper (its Tables 3 and 4, Fig. 4) around Diffusion-DPO, in runs long enough for many
/// reference updates: exploration and time, each alone and both; gamma; the scale; tau with and without the bound;
/// re-initialising; five times the rate; a fifth of beta.
std::vector<StudyRun> ablation_runs(const Settings& settings, const std::vector<Method>& methods);

/// Methods measured by timestep, and Diffusion-DPO with reference updates as in the ablation, as the Rethinking paper's
/// Fig. 2 looks at it.
std::vector<StudyRun> timestep_runs(const Settings& settings, const std::vector<Method>& methods);

/// Every method at what the common search selected for it, on seeds the search did not see. Where the world or a method
/// is not the search's there is nothing to report.
std::vector<StudyRun> tuned_runs(const Settings& settings, const std::vector<Method>& methods);

/// Names of variants, for whoever looks their rows up.
std::string sft_variant(double learning_rate, int64_t steps);
std::string dspo_variant(double temperature, double lambda);
std::string tau_variant(int64_t tau, bool bounded);
std::string beta_variant(const std::string& method, double beta);

/// The method among those called for, with its `--set` applied, or null.
const Method* chosen_method(const std::vector<Method>& methods, std::string_view name);

}  // namespace plumb::toy2d
