// Plans made by cuDNN, without a device, for every convolution and attention of the published UNets: one line a shape.
// The functions are those that plan on a device (engine/cuda/dnn); only the device is described in words here. With
// tests/support/driver_stub in the driver's place cuDNN compiles and "loads" all the code there is, so a line that says
// "ok" means that cuDNN has an engine for the shape, not that anyone has run it.

#include <chrono>
#include <cstdio>
#include <set>

#include "engine/cuda/dnn/plan.h"
#include "engine/cuda/dnn/plan_cache.h"
#include "engine/cuda/dnn/problems.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "tests/support/cuda_devices.h"
#include "tests/support/temp_dir.h"
#include "tests/support/unet_layers.h"

namespace plumb {
namespace {

const test::UnetConfiguration kSd15{"SD1.5", {320, 640, 1280, 1280}, {8, 8, 8, 0}, {true, true, true, false}, 64, 32};
const test::UnetConfiguration kSdxl{"SDXL", {320, 640, 1280}, {0, 10, 20}, {false, false, false}, 128, 8};
// As large as what is trained in f32: pictures of 32 x 32.
const test::UnetConfiguration kSmall{"small", {128, 256, 256}, {0, 4, 4}, {false, false, false}, 32, 16};

struct Tally {
  int planned = 0, missing = 0;
};

/// Whether what cuDNN lacks is known, and done by kernels of our own.
enum class Expect { plan, plan_or_own_kernel };

class Planner {
 public:
  Planner(dnn::Target target, Tally& tally) : target_(std::move(target)), tally_(tally) {}

  template <class Build>
  void plan(const std::string& line, const dnn::PlanRules& rules, const Build& build, Expect expect = Expect::plan) {
    const auto start = std::chrono::steady_clock::now();
    dnn::Graph graph;
    build(graph);
    std::string why_none;
    const std::vector<dnn::Plan> plans = dnn::make_plans(target_, graph, rules, &why_none);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const bool fails = plans.empty() && expect == Expect::plan;
    ++(fails ? tally_.missing : tally_.planned);
    const std::string outcome = !plans.empty() ? fmt::format("ok, {} bytes", plans[0].workspace)
                                : fails        ? "FAILED: " + why_none
                                               : "own kernel (cuDNN: " + why_none + ")";
    std::printf("%s, %s: %s, %.2f s\n", target_.name.c_str(), line.c_str(), outcome.c_str(), seconds);
  }
  void expect(bool holds, const char* what) {
    ++(holds ? tally_.planned : tally_.missing);
    std::printf("%s: %s\n", what, holds ? "ok" : "FAILED");
  }
  const dnn::Target& target() const { return target_; }

 private:
  dnn::Target target_;
  Tally& tally_;
};

DnnConvolution problem_of(const test::ConvolutionLayer& layer, DType dtype) {
  const int64_t padding = layer.kernel / 2, output = (layer.size + 2 * padding - layer.kernel) / layer.stride + 1;
  DnnConvolution problem;
  problem.dtype = dtype;
  problem.geometry = {.batch = layer.batch,
                      .input = {layer.size, layer.size},
                      .output = {output, output},
                      .kernel = {layer.kernel, layer.kernel},
                      .in_channels = layer.in,
                      .out_channels = layer.out,
                      .options = {.stride = {layer.stride, layer.stride}, .padding = {padding, padding}}};
  return problem;
}

/// Heads side by side in the channels, as projections leave them.
HeadStrides strides_of(int64_t heads, int64_t rows, int64_t depth) {
  return {rows * heads * depth, depth, heads * depth};
}

DnnAttention problem_of(const test::AttentionLayer& a, bool backward) {
  const HeadStrides queries = strides_of(a.heads, a.queries, a.depth), keys = strides_of(a.heads, a.keys, a.depth);
  return {backward, DType::bf16, a.batch, a.heads, a.queries, a.keys, a.depth,
          a.depth,  queries,     keys,    keys,    queries,   1};
}

void plan_convolutions(Planner& planner, const test::UnetConfiguration& unet, DType dtype) {
  std::set<decltype(test::ConvolutionLayer{}.key())> seen;
  for (const test::ConvolutionLayer& layer : test::UnetLayers(unet).convolutions) {
    if (layer.kernel == 1) continue;  // a matrix product
    if (!seen.insert(layer.key()).second) continue;
    DnnConvolution problem = problem_of(layer, dtype);
    const dnn::PlanRules rules{.deterministic = true, .full_f32 = dtype == DType::f32};
    const auto plan = [&](ConvolutionPass pass, bool has_bias) {
      problem.pass = pass;
      problem.has_bias = has_bias;
      planner.plan(fmt::format("{} {}: {}", unet.name, layer.where, dnn::name_of(problem)), rules,
                   [&](dnn::Graph& graph) { dnn::build(graph, problem); });
    };
    plan(ConvolutionPass::forward, false);
    plan(ConvolutionPass::forward, true);
    plan(ConvolutionPass::backward_x, false);
    plan(ConvolutionPass::backward_weight, false);
  }
}

void plan_attentions(Planner& planner, const test::UnetConfiguration& unet, int64_t most_backward_depth,
                     bool deterministic_too) {
  std::set<decltype(test::AttentionLayer{}.key())> seen;
  for (const test::AttentionLayer& layer : test::UnetLayers(unet).attentions) {
    if (!seen.insert(layer.key()).second) continue;
    const auto plan = [&](bool backward, bool deterministic) {
      DnnAttention problem = problem_of(layer, backward);
      problem.batch = dnn::slice_of(problem, deterministic);
      planner.plan(
          fmt::format("{} {}: {}{}", unet.name, layer.where, dnn::name_of(problem),
                      deterministic ? " deterministic" : ""),
          {.deterministic = deterministic}, [&](dnn::Graph& graph) { dnn::build(graph, problem, deterministic); },
          backward && layer.depth > most_backward_depth ? Expect::plan_or_own_kernel : Expect::plan);
    };
    plan(false, true);
    plan(true, false);
    if (deterministic_too) plan(true, true);
  }
}

/// The plan of a small problem goes to disk and comes back; a file that is cut short, or of another kind, is no plan.
void keep_on_disk(Planner& planner) {
  const test::TempDir folder;
  const dnn::PlanFolder kept(folder.path());
  const DnnConvolution problem = problem_of({"", 2, 64, 64, 16, 3, 1}, DType::bf16);
  const std::string name = dnn::name_of(problem);
  dnn::Graph graph;
  dnn::build(graph, problem);
  std::string why_none;
  const std::vector<dnn::Plan> plans = dnn::make_plans(planner.target(), graph, {.deterministic = true}, &why_none);
  const auto loads = [&] { return kept.load(planner.target(), name).descriptor.is_good(); };
  planner.expect(plans.size() == 1, "a plan to keep");
  if (plans.empty()) return;
  planner.expect(!loads(), "no file: no plan, and nothing said");
  kept.store(name, plans[0]);
  planner.expect(loads() && kept.load(planner.target(), name).workspace == plans[0].workspace,
                 "a plan kept on disk is loaded");
  planner.expect(folder.entries() == 1, "one file a plan");
  const std::filesystem::path file = std::filesystem::directory_iterator(folder.path())->path();
  const std::string text = read_file(file);
  for (const std::string& broken : {text.substr(0, text.size() / 2), std::string("{}"), std::string()}) {
    write_file_atomic(file, broken);
    planner.expect(!loads(), "a broken file is passed over");
  }
  kept.store(name, plans[0]);
  planner.expect(loads(), "and replaced");
}

}  // namespace
}  // namespace plumb

int main() {
  using namespace plumb;
  Tally tally;
  Planner h200(dnn::described_target(test::h200_properties(), "sm_90"), tally);
  Planner a100(dnn::described_target(test::a100_properties(), "sm_80"), tally);
  for (Planner* planner : {&h200, &a100}) {
    const int64_t most_backward_depth = planner == &h200 ? 256 : 128;
    for (const auto* unet : {&kSd15, &kSdxl}) {
      plan_convolutions(*planner, *unet, DType::bf16);
      plan_attentions(*planner, *unet, most_backward_depth, planner == &h200);
    }
    plan_convolutions(*planner, kSmall, DType::f32);
  }
  keep_on_disk(h200);
  std::printf("%d ok, %d failed\n", tally.planned, tally.missing);
  return tally.missing == 0 ? 0 : 1;
}
