#include "nn/vae/old_names.h"

#include <array>
#include <string_view>
#include <utility>

#include "engine/ops/layout/view.h"

namespace plumb {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kNames{
    {{"query", "to_q"}, {"key", "to_k"}, {"value", "to_v"}, {"proj_attn", "to_out.0"}}};

/// Where the layer's own name begins in "…attentions.0.LAYER.weight"; npos for other tensors.
size_t layer_of_attention(std::string_view name) {
  constexpr std::string_view list = "attentions.";
  const size_t at = name.rfind(list);
  if (at == std::string_view::npos) return at;
  const size_t number = at + list.size(), end = name.find_first_not_of("0123456789", number);
  return end != number && end < name.size() && name[end] == '.' ? end + 1 : std::string_view::npos;
}

NamedTensor renamed(const NamedTensor& given) {
  const size_t at = layer_of_attention(given.name);
  if (at == std::string::npos) return given;
  const std::string_view rest = std::string_view(given.name).substr(at);
  const size_t dot = rest.rfind('.');
  if (dot == std::string_view::npos) return given;
  for (const auto& [before, after] : kNames) {
    if (rest.substr(0, dot) != before && rest.substr(0, dot) != after) continue;
    const Shape& shape = given.tensor.shape();
    const bool is_conv = shape.rank() == 4 && shape[2] == 1 && shape[3] == 1;
    return {given.name.substr(0, at) + std::string(after) + std::string(rest.substr(dot)),
            is_conv ? reshape(given.tensor, {shape[0], shape[1]}) : given.tensor};
  }
  return given;
}

}  // namespace

StateDict with_new_attention_names(const StateDict& state) {
  StateDict result;
  for (const NamedTensor& each : state) result.push_back(renamed(each));
  return result;
}

}  // namespace plumb
