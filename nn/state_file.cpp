#include "nn/state_file.h"

#include "engine/require.h"

namespace plumb {

void save_state(const std::filesystem::path& path, const StateDict& state, const Metadata& metadata) {
  TensorMap tensors;
  for (const NamedTensor& named : state)
    require<ValueError>(tensors.emplace(named.name, named.tensor).second, "save_state: a name is given twice ({})",
                        named.name);
  save_safetensors(path, tensors, metadata);
}

StateDict load_state(const std::filesystem::path& path) {
  StateDict state;
  for (auto& [name, tensor] : load_safetensors(path)) state.push_back({name, tensor});
  return state;
}

LoadReport load_state_file(Module& module, const std::filesystem::path& path, const LoadOptions& options) {
  const StateDict state = load_state(path);
  try {
    return load_state_dict(module, state, options);
  } catch (const ValueError& error) {
    raise<ValueError>("{}: {}", path.string(), error.what());
  }
}

}  // namespace plumb
