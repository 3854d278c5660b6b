#include "nn/parameter_arena.h"

#include <set>

#include "engine/format.h"
#include "engine/ops/layout/view.h"
#include "engine/require.h"

namespace plumb {
namespace {

bool belongs(const ParameterArena::Group& group, const Parameter& parameter) {
  return group.dtype == parameter.dtype() && group.masters.defined() == parameter.has_master() &&
         group.values.device() == parameter.value().device();
}

ParameterArena::Group& group_for(std::vector<ParameterArena::Group>& groups, const Parameter& parameter) {
  for (ParameterArena::Group& group : groups)
    if (belongs(group, parameter)) return group;
  ParameterArena::Group& group = groups.emplace_back();
  group.dtype = parameter.dtype();
  // Placeholders that say device and kind; the real tensors come once the size is known.
  group.values = empty({0}, group.dtype, parameter.value().device());
  if (parameter.has_master()) group.masters = empty({0}, DType::f32, parameter.value().device());
  return group;
}

}  // namespace

ParameterArena::ParameterArena(const ParameterList& parameters) {
  require<ValueError>(!parameters.empty(), "parameter arena: there must be parameters to train (0)");
  std::set<const Parameter*> seen;
  for (const NamedParameter& named : parameters) {
    require<ValueError>(seen.insert(named.parameter).second, "parameter arena: a parameter is listed twice ({})",
                        named.name);
    Group& group = group_for(groups_, *named.parameter);
    group.parameters.push_back(named);
    group.offsets.push_back(group.size);
    group.size += (named.parameter->numel() + kAlignment - 1) / kAlignment * kAlignment;
  }
  for (Group& group : groups_) {
    const Device device = group.values.device();
    group.values = zeros({group.size}, group.dtype, device);
    if (group.masters.defined()) group.masters = zeros({group.size}, DType::f32, device);
    group.grads = zeros({group.size}, acc_dtype(group.dtype), device);
    for (size_t i = 0; i < group.parameters.size(); ++i)
      group.parameters[i].parameter->rebind(view(group, i, group.values),
                                            group.masters.defined() ? view(group, i, group.masters) : Tensor(),
                                            view(group, i, group.grads));
  }
}

std::vector<ParameterArena::Run> ParameterArena::runs_with_grad(const Group& group) const {
  std::vector<Run> runs;
  for (size_t i = 0; i < group.parameters.size(); ++i) {
    const auto& [name, parameter] = group.parameters[i];
    require<Error>(parameter->value().storage() == group.values.storage(),
                   "optimiser: parameter {} no longer lies in the arena of this optimiser (another optimiser took it, "
                   "or its type changed); build the optimiser last",
                   name);
    if (!parameter->grad().defined()) continue;
    const int64_t begin = group.offsets[i];
    const int64_t end = i + 1 < group.offsets.size() ? group.offsets[i + 1] : group.size;
    if (!runs.empty() && runs.back().end == begin)
      runs.back().end = end;
    else
      runs.push_back({begin, end});
  }
  return runs;
}

Tensor ParameterArena::view(const Group& group, size_t i, const Tensor& flat) {
  const Parameter& parameter = *group.parameters[i].parameter;
  const Tensor& value = parameter.value();
  // A weight in channels-last order keeps it, in every flat tensor alike, so that element k of one is element k of all.
  const bool is_channels_last = parameter.is_of_kernels() || (!value.is_contiguous() && value.is_channels_last());
  const Shape& shape = value.shape();
  if (!is_channels_last) return flat.view_as(shape, contiguous_strides(shape), group.offsets[i]);
  const Shape rows{shape[0], shape[2], shape[3], shape[1]};
  return permute(flat.view_as(rows, contiguous_strides(rows), group.offsets[i]), {0, 3, 1, 2});
}

}  // namespace plumb
