#include "apps/graph/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "align/objective.h"
#include "apps/common/globals.h"
#include "apps/common/nearest.h"
#include "apps/common/output_dir.h"
#include "autograd/graph_dot.h"
#include "diffusion/denoising_loss.h"
#include "diffusion/point_denoiser.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/io/json.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"
#include "nn/visitors.h"

namespace plumb {
namespace {

constexpr const char* kPretraining = "mlp";

struct Settings {
  GlobalFlags global{.out = "runs/graph"};
  std::string what = kPretraining;
  KeyValues set = {};
  int64_t batch = 64;
  PointDenoiserOptions network = {};
};

/// "mlp" and the objectives. Throws UsageError for anything else.
void check_what(const std::string& what) {
  std::vector<std::string> names{kPretraining};
  for (const ObjectiveEntry& entry : objective_table()) names.emplace_back(entry.name);
  if (std::find(names.begin(), names.end(), what) != names.end()) return;
  const std::string near = nearest(what, names);
  raise<UsageError>("graph: --what expects one of {} (got \"{}\"){}", fmt::join(names, ", "), what,
                    near.empty() ? "" : "; did you mean " + near + "?");
}

/// Random pairs stand in for data: the graph does not depend on values.
Variable make_loss(PointDenoiser& network, const Settings& s, const RandomKey& key) {
  const NoiseSchedule schedule({.num_train_timesteps = 100, .beta_start = 1e-3, .beta_end = 0.2});
  const bool pretraining = s.what == kPretraining;
  const std::unique_ptr<Objective> objective = pretraining ? nullptr : make_objective(s.what, s.set);
  const bool pairs = objective && objective->uses_losers();
  const int64_t rows = pairs ? 2 * s.batch : s.batch;
  const Shape shape{rows, network.options().dimensions};
  const Tensor x = randn(key.fork("x"), shape), noise = randn(key.fork("noise"), shape);
  const Tensor t = randint(key.fork("t"), 0, schedule.num_train_timesteps(), {rows});
  const Condition condition{.labels = randint(key.fork("label"), 0, network.options().classes, {rows})};
  if (pretraining) return denoising_loss(network, schedule, Prediction::epsilon, {x, noise, t, condition});
  const Tensor ref = randn(key.fork("ref"), shape);
  return (*objective)({.pred = network.predict(x, t.to(DType::f32), condition),
                       .ref = ref,
                       .target = noise,
                       .timesteps = t,
                       .num_train_timesteps = schedule.num_train_timesteps(),
                       .alphas_cumprod = schedule.alphas_cumprod(),
                       .pred_roll = ref,
                       .ref_roll = ref,
                       .winners_only = !pairs})
      .loss;
}

LeafNames leaf_names(PointDenoiser& network) {
  LeafNames names;
  for (const NamedParameter& named : parameters(network)) names.add(named.parameter->variable(), named.name);
  return names;
}

void report(const Settings& s, const GraphView& graph, const OutputDir& out) {
  int64_t leaves = 0;
  for (const GraphNode& node : graph.nodes) leaves += node.is_leaf;
  const int64_t ops = int64_t(graph.nodes.size()) - leaves;
  if (s.global.json) {
    Json json = Json::object();
    json.set("what", s.what).set("ops", ops).set("leaves", leaves).set("saved_bytes", graph.saved_bytes);
    std::printf("%s\n", json.set("dot", out / "graph.dot").set("svg", out / "graph.svg").dump().c_str());
  } else if (!s.global.quiet) {
    std::printf("%s: %lld ops on %lld leaves, %s kept for backward\n%s\n%s\n", s.what.c_str(),
                static_cast<long long>(ops), static_cast<long long>(leaves), human_bytes(graph.saved_bytes).c_str(),
                (out / "graph.dot").c_str(), (out / "graph.svg").c_str());
  }
}

}  // namespace

int run_graph(const Arguments& arguments) {
  Settings s;
  Flags flags("graph", "draws the autograd graph of the 2D network's loss");
  flags.add("--what", s.what, "mlp: the pretraining loss; or an objective of plumb objective --list").shown_as("NAME");
  flags.add("--set", s.set, "option of the objective; repeatable");
  flags.add("--batch", s.batch, "points, or pairs of an objective", between(1, 100000));
  flags.add("--hidden", s.network.hidden, "features of a hidden layer", between(1, 4096));
  flags.add("--hidden_layers", s.network.hidden_layers, "hidden layers", between(1, 64));
  flags.add_global(s.global);
  flags.example("plumb graph --what ddspo --out runs/graph");
  if (!flags.parse(arguments)) return kExitDone;
  apply_globals(s.global);
  check_what(s.what);
  require<UsageError>(s.set.empty() || s.what != kPretraining, "graph: --set needs --what OBJECTIVE");

  Generator generator(uint64_t(s.global.seed));
  PointDenoiser network(s.network, generator);
  const Variable loss = make_loss(network, s, RandomKey{.seed = uint64_t(s.global.seed)}.fork("graph"));
  const GraphView graph = GraphView::of(loss, leaf_names(network));
  const OutputDir out(s.global.out);
  write_file_atomic(out / "graph.dot", graph_dot(graph));
  write_file_atomic(out / "graph.svg", graph_svg(graph));
  report(s, graph, out);
  return kExitDone;
}

}  // namespace plumb
