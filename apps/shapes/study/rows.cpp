#include "apps/shapes/study/rows.h"

#include <algorithm>

#include "apps/common/exit_codes.h"
#include "apps/common/nearest.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb::study {
namespace {

using Words = std::vector<std::string>;

Row row(std::string name, std::string paper, std::string data, std::string objective, std::string policy = "forward") {
  return {.name = std::move(name),
          .paper = std::move(paper),
          .data = std::move(data),
          .objective = std::move(objective),
          .policy = std::move(policy)};
}

Row in_main(Row row) {
  row.is_main = true;
  return row;
}

Row with(Row row, const Words& flags) {
  row.flags.insert(row.flags.end(), flags.begin(), flags.end());
  return row;
}

Row as(const std::string& tuned, Row row) {
  row.tuned_as = tuned;
  return row;
}

Row without_beta(Row row) {
  row.has_beta = false;
  return row;
}

Row at_rates(double scale, Row row) {
  row.rate_scale = scale;
  return row;
}

/// Temperature and lambda apart: beta 0.001 makes the weight 1/2 and the method SFT (OBJECTIVES, section 2). The
/// temperature is what is searched.
Row apart(Row row) {
  row.beta_words = {"--set", "temperature={}"};
  row.base_beta = 300;
  return with(std::move(row), {"--set", "lambda=0.3"});
}

Row training_free(const std::string& name, const std::string& paper, const std::string& data) {
  return row(name, paper, data, "ddspo", "training_free");
}

std::vector<Row> baseline_rows() {
  return {
      in_main(without_beta(row("sft", "baseline", "removal", "sft"))),
      in_main(row("diffusion_dpo", "baseline", "removal", "diffusion_dpo")),
      row("diffusion_dpo_labelled", "baseline", "labelled", "diffusion_dpo"),
      without_beta(row("sft_labelled", "baseline", "labelled", "sft")),
      row("diffusion_kto", "baseline", "labelled", "diffusion_kto"),
      without_beta(row("mapo", "baseline", "labelled", "mapo")),
  };
}

std::vector<Row> ddspo_rows() {
  return {
      in_main(training_free("ddspo", "DDSPO", "removal")),
      as("ddspo", training_free("ddspo_rewrites", "DDSPO", "swap")),
      as("ddspo", training_free("ddspo_quality", "DDSPO", "quality")),
      as("ddspo", with(training_free("ddspo_rand_positive", "DDSPO", "removal"), {"--loser_source", "rand_positive"})),
      as("ddspo", with(training_free("ddspo_not_paired", "DDSPO", "removal"), {"--loser_source", "not_paired"})),
      row("ddspo_data_driven", "DDSPO", "labelled", "ddspo", "data_driven"),
      // What must not help as the real c- does, if the contrast of the two prompts is what teaches.
      in_main(as("ddspo", training_free("control_empty", "control", "removal/empty"))),
      in_main(as("ddspo", training_free("control_unrelated", "control", "removal/unrelated"))),
      in_main(as("ddspo", training_free("control_equal", "control", "removal/equal"))),
      in_main(as("ddspo", training_free("control_swapped", "control", "removal/swapped"))),
  };
}

std::vector<Row> dspo_rows() {
  return {
      row("dspo", "DSPO", "labelled", "dspo"),
      apart(row("dspo_apart", "DSPO", "labelled", "dspo")),
      without_beta(with(row("dspo_e", "DSPO", "labelled", "dspo_e"), {"--set", "lambda=0.1"})),
      as("dspo", row("dspo_ref", "DSPO", "labelled", "dspo_ref")),
      as("dspo", with(row("dspo_nodup", "DSPO", "labelled", "dspo"), {"--one_pair_per_prompt"})),
      at_rates(10, with(row("dspo_lora", "DSPO", "labelled", "dspo"), {"--use_lora", "--rank", "8"})),
      row("dspo_xl", "DSPO", "labelled", "dspo_xl"),
  };
}

std::vector<Row> self_dpo_rows() {
  std::vector<Row> rows;
  for (const std::string downgrade : {"random_image", "blur", "random_grid"}) {
    const Words how = {"--downgrade", downgrade};
    rows.push_back(with(row("self_dpo_" + downgrade, "Self-DPO", "removal", "self_dpo"), how));
    rows.push_back(as("self_dpo_" + downgrade,
                      with(with(row("self_dpo_" + downgrade + "_no_mse", "Self-DPO", "removal", "self_dpo"), how),
                           {"--set", "lambda1=0", "--set", "lambda2=1"})));
  }
  return rows;
}

/// The ablation of Rethinking's Table 4 on top of Diffusion-DPO: each part, and all of them.
std::vector<Row> rethinking_rows() {
  const Words update = {"--ref_update_steps", "16", "--ref_divergence_bound", "0.002"};
  const Words timesteps = {"--timestep_sampling", "aware"};
  const Words scale = {"--reward_scale", "minmax"};
  const auto dpo = [](const std::string& name) {
    return as("diffusion_dpo", row(name, "Rethinking", "removal", "diffusion_dpo"));
  };
  return {
      with(dpo("rethinking_update"), update),
      with(dpo("rethinking_timesteps"), timesteps),
      with(dpo("rethinking_scale"), scale),
      with(with(with(dpo("rethinking"), update), timesteps), scale),
  };
}

const Row& find_row(const std::string& name) {
  const std::vector<Row>& rows = all_rows();
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.name == name; });
  if (found != rows.end()) return *found;
  Words names = {"main", "all"};
  for (const Row& known : rows) names.push_back(known.name);
  const std::string near = nearest(name, names);
  raise<UsageError>("study: unknown row \"{}\" (--rows); {}", name,
                    near.empty() ? "docs/shapes_study.md lists them" : fmt::format("did you mean {}?", near));
}

void add_once(std::vector<Row>& rows, const Row& row) {
  if (std::any_of(rows.begin(), rows.end(), [&](const Row& known) { return known.name == row.name; })) return;
  if (!row.tuned_as.empty()) add_once(rows, find_row(row.tuned_as));
  rows.push_back(row);
}

}  // namespace

const std::vector<Row>& all_rows() {
  static const std::vector<Row> rows = [] {
    std::vector<Row> all;
    for (std::vector<Row> (*part)() : {baseline_rows, ddspo_rows, dspo_rows, self_dpo_rows, rethinking_rows})
      for (Row& row : part()) all.push_back(std::move(row));
    return all;
  }();
  return rows;
}

std::vector<Row> choose_rows(const std::vector<std::string>& names) {
  std::vector<Row> chosen;
  for (const std::string& name : names) {
    if (name == "main" || name == "all") {
      for (const Row& row : all_rows())
        if (name == "all" || row.is_main) add_once(chosen, row);
    } else {
      add_once(chosen, find_row(name));
    }
  }
  return chosen;
}

}  // namespace plumb::study
