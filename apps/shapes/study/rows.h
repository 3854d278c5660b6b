#pragma once

#include <string>
#include <vector>

namespace plumb::study {

/// One line of the study's tables: a fine-tuning of the reference.
struct Row {
  std::string name;
  std::string paper = {};               ///< whose method it is; "control" for what must not work
  std::string data;                     ///< the preference set, by the name of its stage in OUT/pairs
  std::vector<std::string> flags = {};  ///< of `plumb align`, the objective's own
  std::string objective = {}, policy = {};
  std::string tuned_as = {};  ///< the row whose settings it takes; empty: searched for itself
  bool is_main = false;       ///< of `--rows main`
  double rate_scale = 1;      ///< what the searched rates are multiplied by: adapters want higher ones
  bool has_beta = true;       ///< false: rates alone are searched, as many as others have rates and betas
  std::vector<std::string> beta_words = {"--beta_dpo", "{}"};  ///< the flag that it is told by, with {} for the number
  double base_beta = 0;  ///< what the searched multiples are of; 0: the published strength, scaled by dimension
};

/// Every row the study knows, in the order of the tables.
const std::vector<Row>& all_rows();

/// Rows by name; "main" and "all" stand for groups. What a row takes its settings from comes along, in front of it.
/// Throws UsageError naming the known ones.
std::vector<Row> choose_rows(const std::vector<std::string>& names);

}  // namespace plumb::study
