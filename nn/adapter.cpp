#include "nn/adapter.h"

#include <algorithm>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/linalg.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

class CollectLayers : public ModuleVisitor {
 public:
  std::vector<AdaptableLayer> found;

 protected:
  // A layer shows its weight before its adapters.
  void on_parameter(Parameter& parameter) override {
    if (path() != "weight" && !path().ends_with(".weight")) return;
    weight_ = &parameter;
    weight_path_ = path();
  }
  void on_adapters(AdapterList& adapters) override {
    require<Error>(weight_path_ == (path().empty() ? "weight" : path() + ".weight"),
                   "adapter: a layer must show its weight before its adapters ({})", path());
    found.push_back({path(), weight_, &adapters});
  }

 private:
  Parameter* weight_ = nullptr;
  std::string weight_path_;
};

}  // namespace

std::vector<AdaptableLayer> adaptable_layers(Module& module) {
  CollectLayers collect;
  module.visit(collect);
  return std::move(collect.found);
}

Variable Adapter::delta(const Variable& x) const {
  const Variable narrow = linear(x, down.variable());
  // Scaled where the tensor is narrowest.
  return linear(scale() == 1 ? narrow : mul(narrow, scale()), up.variable());
}

AdapterList::AdapterList(const AdapterList& other)
    : in_features_(other.in_features_), out_features_(other.out_features_), active_(other.active_) {
  adapters_.reserve(other.adapters_.size());
  for (const Adapter& adapter : other.adapters_) adapters_.emplace_back(adapter);
}

Adapter& AdapterList::add(std::string_view name, Init init, const AdapterOptions& options) {
  require<ValueError>(!name.empty() && name != "none" && index_of(name) < 0,
                      "adapter: name must be new and neither empty nor \"none\" ({})", name);
  require<ValueError>(options.rank > 0, "adapter: rank must be positive ({}); {}", options.rank, name);
  Adapter adapter;
  adapter.name = name;
  adapter.alpha = options.alpha == 0 ? double(options.rank) : options.alpha;
  Tensor down = empty({options.rank, in_features_});
  init.normal(down, 0, 1 / double(options.rank));
  adapter.down = Parameter(std::move(down));
  adapter.up = Parameter(zeros({out_features_, options.rank}));
  adapter.down.to_dtype(options.dtype, true);
  adapter.up.to_dtype(options.dtype, true);
  adapter.down.to_device(options.device);
  adapter.up.to_device(options.device);
  adapters_.push_back(std::move(adapter));
  return adapters_.back();
}

void AdapterList::remove(std::string_view name) {
  const int index = index_of(name);
  require<ValueError>(index >= 0, "adapter: no adapter of this name to remove ({})", name);
  adapters_.erase(adapters_.begin() + index);
  if (active_ == index) active_ = -1;
  if (active_ > index) --active_;
}

Adapter* AdapterList::find(std::string_view name) {
  const int index = index_of(name);
  return index < 0 ? nullptr : &adapters_[size_t(index)];
}

bool AdapterList::activate(std::string_view name) {
  active_ = index_of(name);
  return active_ >= 0;
}

int AdapterList::index_of(std::string_view name) const {
  for (size_t i = 0; i < adapters_.size(); ++i)
    if (adapters_[i].name == name) return int(i);
  return -1;
}

int add_adapters(Module& module, std::string_view name, Init init, const AdapterOptions& options,
                 const std::vector<std::string>& targets) {
  const auto layers = adaptable_layers(module);
  int added = 0;
  for (const auto& [path, weight, list] : layers) {
    const bool wanted = targets.empty() || std::any_of(targets.begin(), targets.end(), [&](const std::string& target) {
                          return path == target || path.ends_with("." + target);
                        });
    if (!wanted) continue;
    AdapterOptions typed = options;
    typed.dtype = weight->dtype();
    typed.device = weight->device();
    list->add(name, init, typed);
    ++added;
  }
  require<ValueError>(added > 0,
                      "add_adapters: no layer ends with one of the targets ({} layers can carry adapters); {}",
                      layers.size(), name);
  return added;
}

AdapterScope::AdapterScope(Module& module, std::string_view name) {
  const auto layers = adaptable_layers(module);
  bool known = name == "none";
  for (const auto& [path, weight, list] : layers) known |= list->find(name) != nullptr;
  require<ValueError>(known, "adapter: no layer has an adapter of this name ({})", name);
  before_.reserve(layers.size());
  for (const auto& [path, weight, list] : layers) {
    before_.emplace_back(list, list->active_);
    list->activate(name);
  }
}

AdapterScope::~AdapterScope() {
  for (const auto& [list, active] : before_) list->active_ = active;
}

ActiveAdapters::ActiveAdapters(Module& module) {
  const auto layers = adaptable_layers(module);
  for (const auto& [path, weight, list] : layers) choice_.emplace_back(list, list->active_);
}

void ActiveAdapters::swap() {
  for (auto& [list, active] : choice_) std::swap(list->active_, active);
}

}  // namespace plumb
