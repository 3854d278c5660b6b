#include "apps/gradcheck/gradcheck_verb.h"

#include <algorithm>
#include <cstdio>

#include "apps/common/globals.h"
#include "apps/gradcheck/check.h"
#include "apps/op/op_table.h"
#include "engine/format.h"
#include "engine/io/json.h"
#include "engine/require.h"

namespace plumb {
namespace {

std::string format_table(const std::vector<GradientVerdict>& verdicts) {
  std::string text = fmt::format("{:<16}{:>6}{:>10}  {:<12}{:>14}{:>14}{:>10}  {}\n", "name", "cases", "elements",
                                 "worst", "analytic", "numeric", "error", "verdict");
  for (const GradientVerdict& v : verdicts) {
    if (!v.has_gradient) {
      text += fmt::format("{:<16}{:>6}{:>10}  {:<50}  -\n", v.name, "", "", "no gradient");
      continue;
    }
    text += fmt::format("{:<16}{:>6}{:>10}  {:<12}{:>14.6g}{:>14.6g}{:>10.2g}  {}\n", v.name, v.cases, v.elements,
                        v.worst, v.analytic, v.numeric, v.ratio, v.passed ? "ok" : "FAIL");
  }
  return text;
}

Json to_json(const std::vector<GradientVerdict>& verdicts, bool passed) {
  Json list = Json::array(), json = Json::object();
  for (const GradientVerdict& v : verdicts) {
    Json row = Json::object();
    row.set("name", v.name).set("has_gradient", v.has_gradient).set("passed", v.passed).set("cases", v.cases);
    row.set("elements", v.elements).set("worst", v.worst).set("analytic", v.analytic).set("numeric", v.numeric);
    list.push_back(row.set("error", v.ratio).set("report", v.report));
  }
  return json.set("passed", passed).set("checks", list);
}

void check_ops(const std::string& name, const RandomKey& key, std::vector<GradientVerdict>& verdicts) {
  if (name != "all") return verdicts.push_back(check_op(name, key));
  for (const OpEntry& op : op_table()) verdicts.push_back(check_op(op.name, key));
}

void check_objectives(const std::string& name, const KeyValues& set, const RandomKey& key,
                      std::vector<GradientVerdict>& verdicts) {
  if (name != "all") return verdicts.push_back(check_objective(name, set, key));
  for (const ObjectiveEntry& entry : objective_table()) verdicts.push_back(check_objective(entry.name, set, key));
}

}  // namespace

int run_gradcheck_verb(const Arguments& arguments) {
  GlobalFlags global;
  std::string op, objective;
  KeyValues set;
  Flags flags("gradcheck", "compares gradients with central differences in float64");
  flags.positional("op", op, "an op of plumb op --list, or all: every op and every objective");
  flags.add("--objective", objective, "an objective of plumb objective --list, or all").shown_as("NAME");
  flags.add("--set", set, "option of the objective; repeatable");
  flags.add_global(global);
  flags.example("plumb gradcheck layer_norm");
  flags.example("plumb gradcheck --objective ddspo --set beta=2");
  if (!flags.parse(arguments)) return kExitDone;
  apply_globals(global);
  require<UsageError>(!op.empty() || !objective.empty(),
                      "gradcheck needs an op, all, or --objective NAME; see plumb gradcheck --help");
  require<UsageError>(set.empty() || !objective.empty(), "gradcheck: --set needs --objective NAME");

  const RandomKey key = RandomKey{.seed = uint64_t(global.seed)}.fork("gradcheck");
  std::vector<GradientVerdict> verdicts;
  if (!op.empty()) check_ops(op, key, verdicts);
  if (op == "all" && objective.empty()) objective = "all";
  if (!objective.empty()) check_objectives(objective, set, key, verdicts);

  const bool passed = std::all_of(verdicts.begin(), verdicts.end(), [](const auto& v) { return v.passed; });
  const std::string text = global.json ? to_json(verdicts, passed).dump(2) + "\n" : format_table(verdicts);
  std::fputs(text.c_str(), stdout);
  if (!global.json) {
    for (const GradientVerdict& verdict : verdicts) std::fputs(verdict.report.c_str(), stdout);
    std::fputs("error: |analytic - numeric| as a share of what is allowed, 1e-8 + 1e-6 |numeric|\n", stdout);
  }
  return passed ? kExitDone : kExitFailure;
}

}  // namespace plumb
