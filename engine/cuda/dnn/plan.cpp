#include "engine/cuda/dnn/plan.h"

#include <algorithm>
#include <array>

namespace plumb::dnn {
namespace {

/// An engine and its settings, as the heuristic names them.
std::vector<Descriptor> configurations(const Target& target, const Descriptor& graph, cudnnBackendHeurMode_t mode) {
  Descriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
      .set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, &mode);
  if (!target.handle) heuristic.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, target.properties);
  std::vector<Descriptor> found;
  if (!heuristic.finalize().is_good()) return found;
  int64_t count = 0;
  (void)library().get(heuristic.raw(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &count,
                      nullptr);
  std::vector<cudnnBackendDescriptor_t> raw;
  for (int64_t i = 0; i < count; ++i) raw.push_back(found.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR).raw());
  if (count > 0)
    (void)library().get(heuristic.raw(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, count, &count,
                        raw.data());
  found.resize(size_t(std::min<int64_t>(count, int64_t(raw.size()))));
  return found;
}

struct Notes {
  bool nondeterministic = false, tensor_cores = false, smaller_inputs = false;
};

Notes notes_of(const Descriptor& configuration) {
  const Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  cudnnBackendDescriptor_t raw = engine.raw();
  int64_t count = 0;
  (void)library().get(configuration.raw(), CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &count, &raw);
  std::array<cudnnBackendNumericalNote_t, CUDNN_NUMERICAL_NOTE_TYPE_COUNT> notes{};
  count = 0;
  (void)library().get(raw, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, int64_t(notes.size()), &count,
                      notes.data());
  const auto has = [&](cudnnBackendNumericalNote_t note) {
    return std::find(notes.begin(), notes.begin() + count, note) != notes.begin() + count;
  };
  return {has(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC), has(CUDNN_NUMERICAL_NOTE_TENSOR_CORE),
          has(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS)};
}

/// The device of a plan. cuDNN's frontends set the handle so; that it is called deprecated has no replacement.
void set_device(Descriptor& plan, const Target& target) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  if (target.handle)
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, &target.handle);
  else
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, target.properties);
#pragma GCC diagnostic pop
}

int64_t workspace_of(const Descriptor& plan) {
  int64_t bytes = 0, count = 0;
  (void)library().get(plan.raw(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &count, &bytes);
  return bytes;
}

bool obeys(const Notes& notes, const PlanRules& rules) {
  if (rules.deterministic && notes.nondeterministic) return false;
  return !rules.full_f32 || (!notes.tensor_cores && !notes.smaller_inputs);
}

}  // namespace

std::vector<Plan> make_plans(const Target& target, Graph& graph, const PlanRules& rules, std::string* why_none) {
  std::vector<Plan> plans;
  const Descriptor& finished = graph.finish(target);
  *why_none = finished.is_good() ? "no engine" : last_problem(finished.status());
  if (!finished.is_good()) return plans;
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    for (const Descriptor& configuration : configurations(target, finished, mode)) {
      const Notes notes = notes_of(configuration);
      if (!obeys(notes, rules)) continue;
      Plan plan{Descriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR), 0, !notes.nondeterministic};
      set_device(plan.descriptor, target);
      plan.descriptor.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration).finalize();
      if (!plan.descriptor.is_good()) {
        *why_none = last_problem(plan.descriptor.status());
        continue;
      }
      plan.workspace = workspace_of(plan.descriptor);
      if (plan.workspace > kMostWorkspace) {
        *why_none = "a plan would work in " + std::to_string(plan.workspace >> 20) + " MiB";
        continue;
      }
      plans.push_back(std::move(plan));
      if (plans.size() == rules.most) return plans;
    }
    if (!plans.empty()) return plans;
  }
  return plans;
}

std::string to_text(const Plan& plan) {
  int64_t size = 0;
  (void)library().get(plan.descriptor.raw(), CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, 0, &size,
                      nullptr);
  std::string text(size_t(size), '\0');
  if (size > 0)
    (void)library().get(plan.descriptor.raw(), CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, size,
                        &size, text.data());
  return text;
}

Plan plan_from_text(const Target& target, const std::string& text) {
  Plan plan{Descriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR)};
  set_device(plan.descriptor, target);
  plan.descriptor.set(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, text.data(), int64_t(text.size()))
      .finalize();
  if (plan.descriptor.is_good()) plan.workspace = workspace_of(plan.descriptor);
  return plan;
}

}  // namespace plumb::dnn
