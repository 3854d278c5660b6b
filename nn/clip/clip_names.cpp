#include "nn/clip/clip_names.h"

#include <initializer_list>
#include <string_view>

namespace plumb {
namespace {

bool begins_with(std::string_view name, std::initializer_list<std::string_view> prefixes) {
  for (const std::string_view prefix : prefixes)
    if (name.starts_with(prefix)) return true;
  return false;
}

StateDict named(const StateDict& state, const char* prefix) {
  StateDict result;
  for (const NamedTensor& each : state) {
    if (each.name.ends_with("embeddings.position_ids")) continue;
    const bool is_bare =
        begins_with(each.name, {"embeddings.", "encoder.", "final_layer_norm.", "pre_layrnorm.", "post_layernorm."});
    result.push_back({is_bare ? prefix + each.name : each.name, each.tensor});
  }
  return result;
}

StateDict part(const StateDict& state, const char* model, const char* projection) {
  StateDict result;
  for (const NamedTensor& each : state)
    if (begins_with(each.name, {model, projection})) result.push_back(each);
  return result;
}

}  // namespace

StateDict with_clip_text_names(const StateDict& state) { return named(state, "text_model."); }
StateDict with_clip_vision_names(const StateDict& state) { return named(state, "vision_model."); }
StateDict clip_text_part(const StateDict& state) { return part(state, "text_model.", "text_projection."); }
StateDict clip_vision_part(const StateDict& state) { return part(state, "vision_model.", "visual_projection."); }

}  // namespace plumb
