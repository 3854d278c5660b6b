#include "apps/toy2d/settings.h"

#include <algorithm>
#include <charconv>

#include "engine/require.h"

namespace plumb::toy2d {

void add_flags(Flags& flags, Settings& s) {
  flags.add("--quick", s.quick, "one seed, clean pairs, DDIM-25, Diffusion-DPO and two DDSPO rows");
  flags.add("--search", s.search, "search lr, beta and steps of every method instead, resumable in OUT/search.jsonl");
  flags.add("--methods", s.methods, "objectives to fine-tune with; all: every one of them, and the study");
  flags.add("--pair_source", s.pair_sources, "where preference pairs come from", one_of({"clean", "reference"}));
  flags.add("--sampler", s.samplers, "ddimS or ddpmS with S steps");
  flags.add("--seeds", s.seeds, "independent repetitions", between(1, 1000));
  flags.add("--first_seed", s.first_seed, "seeds are first_seed, first_seed + 1, …", non_negative());
  flags.add("--pairs_per_class", s.pairs_per_class, "preference pairs a class (N of the paper)", between(1, 100000));
  flags.add("--samples_per_class", s.samples_per_class, "samples drawn for every metric", between(2, 100000));
  flags.add("--reference_steps", s.reference_steps, "Adam steps of the reference model", between(1, 1e7));
  flags.add("--classes", s.world.classes, "modes on the ring", between(2, 1000)).advanced();
  flags.add("--radius", s.world.radius, "of the ring", positive()).advanced();
  flags.add("--sigma", s.world.sigma, "standard deviation of a clean mode", positive()).advanced();
  flags.add("--noise_fraction", s.world.noise_fraction, "share of samples at a neighbour's mode", between(0, 1))
      .advanced();
  flags.add("--inflation", s.world.inflation, "factor on the noisy standard deviation", positive()).advanced();
  flags.add("--set", s.set, "METHOD.key=value (beta, lr, steps, pairs_per_step, …), repeatable").advanced();
  flags.add_global(s.global);
  flags.example("plumb toy2d --quick");
  flags.example("plumb toy2d --methods all");
  flags.example("plumb toy2d --methods diffusion_dpo,ddspo_tf --set ddspo_tf.steps=200");
}

void apply_quick(Settings& s, const Flags& flags) {
  if (!s.quick) return;
  if (!flags.given("--seeds")) s.seeds = 1;
  if (!flags.given("--methods")) s.methods = {"diffusion_dpo", "ddspo_oracle", "ddspo_tf"};
  if (!flags.given("--pair_source")) s.pair_sources = {"clean"};
  if (!flags.given("--sampler")) s.samplers = {"ddim25"};
}

void check_lists(Settings& s) {
  const auto check = [](std::vector<std::string>& names, const char* flag, const char* example) {
    std::vector<std::string> once;
    for (const std::string& name : names)
      if (!name.empty() && std::find(once.begin(), once.end(), name) == once.end()) once.push_back(name);
    require<UsageError>(!once.empty(), "{} names nothing; try {} {}", flag, flag, example);
    names = once;
  };
  check(s.methods, "--methods", "all");
  check(s.pair_sources, "--pair_source", "clean");
  check(s.samplers, "--sampler", "ddim25");
}

SamplerOptions parse_sampler(const std::string& name, const NoiseScheduleOptions& schedule) {
  // 1000 rows of 128 features are half a megabyte: they stay in the second-level cache.
  SamplerOptions options{.spacing = TimestepSpacing::trailing, .rows_per_pass = 1000};
  const std::string kind = name.substr(0, 4);
  const char* digits = name.data() + kind.size();
  const char* end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(digits, end, options.steps);
  const bool known = kind == "ddim" || kind == "ddpm";
  require<UsageError>(known && error == std::errc() && rest == end && options.steps >= 1 &&
                          options.steps <= schedule.num_train_timesteps,
                      "--sampler takes ddimS or ddpmS with S in [1, {}] (got {}); try --sampler ddim25",
                      schedule.num_train_timesteps, name);
  options.kind = kind == "ddim" ? SamplerKind::ddim : SamplerKind::ddpm;
  return options;
}

}  // namespace plumb::toy2d
