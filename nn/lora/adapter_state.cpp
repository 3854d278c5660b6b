#include "nn/lora/adapter_state.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"
#include "nn/adapter.h"

namespace plumb {
namespace {

enum Part { kDown, kUp, kAlpha };

struct Suffix {
  std::string_view text;
  Part part;
};
constexpr std::array<Suffix, 11> kSuffixes = {{
    {".lora_A.weight", kDown},
    {".lora_B.weight", kUp},
    {".lora_A.default.weight", kDown},
    {".lora_B.default.weight", kUp},
    {".lora.down.weight", kDown},
    {".lora.up.weight", kUp},
    {".lora_linear_layer.down.weight", kDown},
    {".lora_linear_layer.up.weight", kUp},
    {".lora_down.weight", kDown},
    {".lora_up.weight", kUp},
    {".alpha", kAlpha},
}};

std::string flattened(std::string path) {
  std::replace(path.begin(), path.end(), '.', '_');
  return path;
}

std::string tensor_name(const std::string& path, Part part, AdapterFormat format, const AdapterNames& names) {
  constexpr std::array kPeft = {".lora_A.weight", ".lora_B.weight", ".alpha"};
  constexpr std::array kKohya = {".lora_down.weight", ".lora_up.weight", ".alpha"};
  if (format == AdapterFormat::kohya) return names.kohya_prefix + flattened(path) + kKohya[part];
  const std::string prefix = names.component.empty() || path.empty() ? names.component : names.component + ".";
  return prefix + path + kPeft[part];
}

/// Without trailing dimensions of 1 beyond two: a Linear's matrix is written by some as that of a 1x1 convolution.
Shape squeezed(const Shape& shape) {
  Shape result = shape;
  while (result.rank() > 2 && result.back() == 1) result.erase(result.rank() - 1);
  return result;
}

/// Sorts named tensors into the layers of a module, and says what does not fit.
class Reader {
 public:
  Reader(Module& module, const AdapterNames& names, AdapterFormat format)
      : layers_(adaptable_layers(module)), found_(layers_.size()), names_(names), format_(format) {
    for (size_t i = 0; i < layers_.size(); ++i)
      require<ValueError>(by_name_.emplace(known_name(layers_[i].path), i).second,
                          "adapter: two layers have one name in this format ({})", known_name(layers_[i].path));
  }

  void read(const StateDict& state);
  void check(const std::optional<AdapterConfig>& config);
  int add_to_layers(std::string_view name, const std::optional<AdapterConfig>& config);

 private:
  struct Found {
    std::array<Tensor, 3> parts;
    std::array<std::string, 3> names;
    bool any() const { return parts[kDown].defined() || parts[kUp].defined() || parts[kAlpha].defined(); }
  };

  std::string known_name(const std::string& path) const {
    return format_ == AdapterFormat::kohya ? names_.kohya_prefix + flattened(path) : path;
  }
  /// The layer a name without its suffix belongs to; null when there is none.
  Found* find_layer(const std::string& stem);
  void expect_shape(const Found& found, Part part, const Shape& expected);
  void check_shapes(size_t i, const std::optional<AdapterConfig>& config);
  /// As the files say; 0 when they do not.
  double alpha_of(size_t i, const std::optional<AdapterConfig>& config) const;

  std::vector<AdaptableLayer> layers_;
  std::vector<Found> found_;
  const AdapterNames& names_;
  AdapterFormat format_;
  std::unordered_map<std::string, size_t> by_name_;
  LoadReport report_;
};

Reader::Found* Reader::find_layer(const std::string& stem) {
  std::vector<std::string> prefixes{""};
  if (format_ == AdapterFormat::peft)
    prefixes = {"", names_.component + ".", "base_model.model.", "base_model.model." + names_.component + "."};
  for (const std::string& prefix : prefixes) {
    // The module may itself be the layer, with the empty path: then "unet.lora_A.weight" has the stem "unet".
    const std::string_view bare = std::string_view(prefix).substr(0, prefix.empty() ? 0 : prefix.size() - 1);
    if (stem == bare && by_name_.count("")) return &found_[by_name_.at("")];
    if (!stem.starts_with(prefix)) continue;
    const auto at = by_name_.find(stem.substr(prefix.size()));
    if (at != by_name_.end()) return &found_[at->second];
  }
  return nullptr;
}

void Reader::read(const StateDict& state) {
  for (const NamedTensor& named : state) {
    const auto suffix = std::find_if(kSuffixes.begin(), kSuffixes.end(),
                                     [&](const Suffix& known) { return named.name.ends_with(known.text); });
    Found* found =
        suffix == kSuffixes.end() ? nullptr : find_layer(named.name.substr(0, named.name.size() - suffix->text.size()));
    if (!found) {
      report_.extra.push_back(named.name);
      continue;
    }
    require<ValueError>(!found->parts[suffix->part].defined(), "adapter: {} and {} are the same tensor of one layer",
                        found->names[suffix->part], named.name);
    found->parts[suffix->part] = named.tensor;
    found->names[suffix->part] = named.name;
  }
}

void Reader::expect_shape(const Found& found, Part part, const Shape& expected) {
  const Tensor& tensor = found.parts[part];
  if (!is_floating(tensor.dtype()) || !(squeezed(tensor.shape()) == squeezed(expected)))
    report_.misshaped.push_back(fmt::format("{} (expected floating {}, got {})", found.names[part], expected, tensor));
}

void Reader::check_shapes(size_t i, const std::optional<AdapterConfig>& config) {
  const Found& found = found_[i];
  const AdaptableLayer& layer = layers_[i];
  const Tensor& down = found.parts[kDown];
  const int64_t given = down.rank() > 0 ? down.size(0) : 0;
  const int64_t rank = config ? config->rank_of(layer.path) : std::max<int64_t>(given, 1);
  Shape expected = layer.weight->shape();
  expected[0] = rank;
  expect_shape(found, kDown, expected);
  expect_shape(found, kUp, {layer.weight->shape()[0], rank});
  const Tensor& alpha = found.parts[kAlpha];
  if (alpha.defined() && alpha.numel() != 1)
    report_.misshaped.push_back(fmt::format("{} (expected one element, got {})", found.names[kAlpha], alpha.shape()));
}

double Reader::alpha_of(size_t i, const std::optional<AdapterConfig>& config) const {
  const Tensor& alpha = found_[i].parts[kAlpha];
  if (!alpha.defined()) return config ? config->alpha_of(layers_[i].path) : 0;
  return reshape(alpha, {1}).to(DType::f64).item<double>();
}

void Reader::check(const std::optional<AdapterConfig>& config) {
  for (size_t i = 0; i < layers_.size(); ++i) {
    const bool wanted = config && config->targets(layers_[i].path);
    if (!found_[i].any() && !wanted) continue;
    bool whole = true;
    for (const Part part : {kDown, kUp}) {
      if (found_[i].parts[part].defined()) continue;
      report_.missing.push_back(tensor_name(layers_[i].path, part, format_, names_));
      whole = false;
    }
    if (whole) check_shapes(i, config);
  }
  require_match("load_adapter", report_);
  for (size_t i = 0; i < layers_.size(); ++i)
    require<ValueError>(std::isfinite(alpha_of(i, config)), "load_adapter: alpha must be finite ({}); layer {}",
                        alpha_of(i, config), layers_[i].path);
}

int Reader::add_to_layers(std::string_view name, const std::optional<AdapterConfig>& config) {
  for (const AdaptableLayer& layer : layers_)
    require<ValueError>(!layer.adapters->find(name), "load_adapter: the name is taken in layer {} ({})", layer.path,
                        name);
  int added = 0;
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Found& found = found_[i];
    if (!found.any()) continue;
    const Tensor &down = found.parts[kDown], &up = found.parts[kUp];
    const int64_t rank = down.size(0);
    Adapter& adapter = layers_[i].adapters->add(
        name, Init::zeros(),
        {.rank = rank, .dtype = layers_[i].weight->dtype(), .device = layers_[i].weight->device()});
    const double given = alpha_of(i, config);
    adapter.alpha = given == 0 ? double(rank) : given;
    adapter.down.assign(reshape(down, adapter.down.shape()));
    adapter.up.assign(reshape(up, adapter.up.shape()));
    ++added;
  }
  require<ValueError>(added > 0, "load_adapter: no tensor belongs to an adapter ({})", name);
  return added;
}

}  // namespace

StateDict adapter_state_dict(Module& module, std::string_view name, AdapterFormat format, const AdapterNames& names) {
  StateDict state;
  std::unordered_set<std::string> known;
  for (const AdaptableLayer& layer : adaptable_layers(module)) {
    const Adapter* adapter = layer.adapters->find(name);
    if (!adapter) continue;
    const auto put = [&](Part part, Tensor tensor) {
      std::string entry = tensor_name(layer.path, part, format, names);
      require<ValueError>(known.insert(entry).second, "adapter: two layers have one name in this format ({})", entry);
      state.push_back({std::move(entry), std::move(tensor)});
    };
    // A convolution's matrices carry its kernel: [r, in, kernel…] and [out, r, 1, …].
    Shape down = layer.weight->shape(), up = layer.weight->shape();
    down[0] = adapter->rank();
    for (int i = 1; i < up.rank(); ++i) up[i] = i == 1 ? adapter->rank() : 1;
    put(kDown, reshape(adapter->down.weight(), down));
    put(kUp, reshape(adapter->up.weight(), up));
    if (format == AdapterFormat::kohya) put(kAlpha, full({}, adapter->alpha));
  }
  require<ValueError>(!state.empty(), "adapter: no layer has an adapter of this name ({})", name);
  return state;
}

int load_adapter_state(Module& module, std::string_view name, const StateDict& state,
                       const std::optional<AdapterConfig>& config, const AdapterNames& names) {
  Reader reader(module, names, is_kohya(state, names) ? AdapterFormat::kohya : AdapterFormat::peft);
  reader.read(state);
  reader.check(config);
  return reader.add_to_layers(name, config);
}

bool is_kohya(const StateDict& state, const AdapterNames& names) {
  return std::any_of(state.begin(), state.end(), [&](const NamedTensor& named) {
    return named.name.starts_with(names.kohya_prefix) &&
           (named.name.ends_with(".lora_down.weight") || named.name.ends_with(".lora_up.weight") ||
            named.name.ends_with(".alpha"));
  });
}

}  // namespace plumb
