#include "nn/state_dict.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "engine/format.h"
#include "engine/require.h"
#include "nn/shape_only.h"

namespace plumb {
namespace {

using TensorsByName = std::unordered_map<std::string, Tensor>;

TensorsByName by_name(const char* what, const StateDict& state) {
  TensorsByName tensors;
  for (const NamedTensor& named : state)
    require<ValueError>(tensors.emplace(named.name, named.tensor).second, "{}: a name is given twice ({})", what,
                        named.name);
  return tensors;
}

/// "; 2 missing: a, b", every name: a wrong file is told from its whole list.
std::string list_of(const char* title, const std::vector<std::string>& names) {
  return names.empty() ? "" : fmt::format("; {} {}: {}", names.size(), title, fmt::join(names, ", "));
}

void compare(const std::string& name, const Shape& expected, TensorsByName& given, LoadReport& report) {
  const auto found = given.find(name);
  if (found == given.end())
    report.missing.push_back(name);
  else if (!(found->second.shape() == expected))
    report.misshaped.push_back(fmt::format("{} (expected {}, got {})", name, expected, found->second.shape()));
}

void list_extra(const StateDict& state, const std::vector<std::string>& expected, LoadReport& report) {
  std::unordered_map<std::string, bool> known;
  for (const std::string& name : expected) known[name] = true;
  for (const NamedTensor& named : state)
    if (!known.count(named.name)) report.extra.push_back(named.name);
}

/// Targets are name and shape.
LoadReport compare(const std::vector<std::pair<std::string, Shape>>& targets, const StateDict& state,
                   TensorsByName& given) {
  LoadReport report;
  std::vector<std::string> names;
  for (const auto& [name, shape] : targets) {
    compare(name, shape, given, report);
    names.push_back(name);
  }
  list_extra(state, names, report);
  return report;
}

LoadReport compare(const ParameterList& targets, const StateDict& state, TensorsByName& given) {
  std::vector<std::pair<std::string, Shape>> shapes;
  for (const auto& [name, parameter] : targets) shapes.emplace_back(name, parameter->shape());
  return compare(shapes, state, given);
}

LoadReport compare(const StateDict& targets, const StateDict& state, TensorsByName& given) {
  std::vector<std::pair<std::string, Shape>> shapes;
  for (const auto& [name, tensor] : targets) shapes.emplace_back(name, tensor.shape());
  return compare(shapes, state, given);
}

}  // namespace

void require_match(const char* what, const LoadReport& report, bool strict) {
  const bool fits = report.misshaped.empty() && (!strict || (report.missing.empty() && report.extra.empty()));
  if (fits) return;
  raise<ValueError>("{}: names and shapes must match{}{}{}", what, list_of("missing", report.missing),
                    list_of("extra", report.extra), list_of("misshaped", report.misshaped));
}

StateDict state_dict(Module& module, Include include) {
  StateDict state;
  for (const NamedParameter& named : parameters(module, include))
    state.push_back({named.name, named.parameter->weight()});
  return state;
}

StateDict shapes_of(Module& module) {
  StateDict state;
  for (const NamedParameter& named : parameters(module, Include::base))
    state.push_back({named.name, shape_only(named.parameter->shape(), named.parameter->dtype())});
  return state;
}

LoadReport compare_names(Module& module, const StateDict& state, Include include) {
  TensorsByName given = by_name("state dict", state);
  return compare(parameters(module, include), state, given);
}

LoadReport load_state_dict(Module& module, const StateDict& state, const LoadOptions& options) {
  const ParameterList targets = parameters(module, options.include);
  TensorsByName given = by_name("load_state_dict", state);
  LoadReport report = compare(targets, state, given);
  require_match("load_state_dict", report, options.strict);
  for (const auto& [name, parameter] : targets)
    if (const auto found = given.find(name); found != given.end()) parameter->assign(found->second);
  return report;
}

LoadReport adopt_state_dict(Module& module, const StateDict& state, const AdoptOptions& options) {
  const ParameterList targets = parameters(module, options.include);
  TensorsByName given = by_name("adopt_state_dict", state);
  LoadReport report = compare(targets, state, given);
  require_match("adopt_state_dict", report, options.strict);
  for (const auto& [name, parameter] : targets) {
    const auto found = given.find(name);
    if (found == given.end()) continue;
    const DType stored = found->second.dtype();
    const bool keep = options.as_stored && is_floating(stored);
    parameter->adopt(found->second, keep ? stored : options.dtype.value_or(parameter->dtype()));
  }
  return report;
}

LoadReport compare_names(const StateDict& targets, const StateDict& state) {
  TensorsByName given = by_name("state dict", state);
  return compare(targets, state, given);
}

void load_tensors(const char* what, const StateDict& targets, const StateDict& state) {
  TensorsByName given = by_name(what, state);
  const LoadReport report = compare(targets, state, given);
  require_match(what, report);
  for (const NamedTensor& target : targets) {
    Tensor destination = target.tensor;
    destination.copy_(given.at(target.name));
  }
}

}  // namespace plumb
