// Tensors from a folder's layout to the single file's and back.

#include <map>
#include <set>

#include "engine/format.h"
#include "engine/ops/layout/cat.h"
#include "engine/ops/layout/view.h"
#include "engine/require.h"
#include "nn/pretrained/ldm_names.h"
#include "nn/shape_only.h"

namespace plumb {
namespace {

std::vector<std::string> names_of(const StateDict& state) {
  std::vector<std::string> names;
  for (const NamedTensor& named : state) names.push_back(named.name);
  return names;
}

/// The shape in the single file of a tensor of this shape in a folder.
Shape shape_there(const LdmPlace& place, const Shape& shape) {
  if (place.layout == LdmLayout::pointwise) return {shape[0], shape[1], 1, 1};
  if (place.layout == LdmLayout::transposed) return {shape[1], shape[0]};
  if (place.layout != LdmLayout::third) return shape;
  Shape fused = shape;
  fused[0] *= 3;
  return fused;
}

/// The folder's tensor of one in the single file.
Tensor taken(const LdmPlace& place, const Tensor& there, const Shape& shape) {
  if (place.layout == LdmLayout::same) return there;
  if (!has_memory(there)) return shape_only(shape, there.dtype());
  if (place.layout == LdmLayout::pointwise) return reshape(there, shape);
  if (place.layout == LdmLayout::transposed) return transpose(there, 0, 1).contiguous();
  return slice(there, 0, place.third * shape[0], (place.third + 1) * shape[0]);
}

}  // namespace

StateDict to_ldm(LdmPart part, const std::string& prefix, const StateDict& component) {
  const LdmNames rules(part, names_of(component));
  StateDict out;
  std::map<std::string, std::array<Tensor, 3>> fused;
  for (const NamedTensor& named : component) {
    const LdmPlace place = rules.place(named.name);
    const std::string name = prefix + place.name;
    if (place.layout == LdmLayout::third) {
      fused[name][size_t(place.third)] = named.tensor;
      continue;
    }
    const Shape shape = shape_there(place, named.tensor.shape());
    const bool turned = place.layout == LdmLayout::transposed;
    out.push_back({name, turned                            ? transpose(named.tensor, 0, 1).contiguous()
                         : place.layout == LdmLayout::same ? named.tensor
                                                           : reshape(named.tensor, shape)});
  }
  for (const auto& [name, thirds] : fused) {
    for (const Tensor& each : thirds)
      require<ValueError>(each.defined() && each.shape() == thirds[0].shape() && each.dtype() == thirds[0].dtype(),
                          "single file: \"{}\" needs query, key and value of one shape and type", name);
    out.push_back({name, cat(thirds, 0)});
  }
  return out;
}

FromLdm from_ldm(LdmPart part, const std::string& prefix, const StateDict& targets, const StateDict& file) {
  const LdmNames rules(part, names_of(targets));
  std::map<std::string, Tensor> there;
  for (const NamedTensor& named : file)
    if (named.name.starts_with(prefix)) there.emplace(named.name, named.tensor);
  FromLdm result;
  std::set<std::string> used, reported;
  for (const NamedTensor& target : targets) {
    const LdmPlace place = rules.place(target.name);
    const std::string name = prefix + place.name;
    used.insert(name);
    const Shape expected = shape_there(place, target.tensor.shape());
    const auto found = there.find(name);
    if (found == there.end()) {
      if (reported.insert(name).second) result.report.missing.push_back(name);
    } else if (!(found->second.shape() == expected)) {
      if (reported.insert(name).second)
        result.report.misshaped.push_back(
            fmt::format("{} (expected {}, got {})", name, expected, found->second.shape()));
    } else {
      result.state.push_back({target.name, taken(place, found->second, target.tensor.shape())});
    }
  }
  for (const auto& [name, tensor] : there)
    if (!used.count(name)) result.report.extra.push_back(name);
  return result;
}

}  // namespace plumb
