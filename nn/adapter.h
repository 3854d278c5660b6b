#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nn/init.h"
#include "nn/module.h"

namespace plumb {

struct AdapterOptions {
  int64_t rank = 8;
  /// delta = up(down(x)) * alpha / rank; 0 means alpha = rank.
  double alpha = 0;
  /// Compute type, which must be the layer's (a 16-bit one keeps f32 masters). add_adapters sets it itself.
  DType dtype = DType::f32;
  /// Where it lives, which must be where the layer does. add_adapters sets it itself.
  Device device = kCpu;
};

/// A low-rank correction of a linear map (LoRA, Hu et al. 2021, arXiv:2106.09685):
///   y = x W^T + b + (alpha / rank) * (x down^T) up^T        down: [rank, in], up: [out, rank]
/// down starts as N(0, 1 / rank^2) as in PEFT's "gaussian", up as zeros: the adapted layer starts as the base, bit for
/// bit.
struct Adapter {
  std::string name;
  Parameter down, up;
  double alpha = 0;

  Adapter() = default;
  explicit Adapter(const Adapter&) = default;
  Adapter(Adapter&&) noexcept = default;
  Adapter& operator=(Adapter&&) noexcept = default;

  int64_t rank() const { return down.shape()[0]; }
  double scale() const { return alpha / double(rank()); }
  /// (alpha / rank) * (x down^T) up^T.
  Variable delta(const Variable& x) const;
};

/// The short list of named adapters a Linear or Conv2d owns; at most one is active. The names "none" and "" are
/// reserved for "no adapter".
class AdapterList {
 public:
  /// For a layer that maps in_features to out_features (a convolution counts its kernel into in_features).
  AdapterList(int64_t in_features, int64_t out_features) : in_features_(in_features), out_features_(out_features) {}
  explicit AdapterList(const AdapterList& other);
  AdapterList(AdapterList&&) noexcept = default;

  /// Trained, in options.dtype, drawn on the CPU; not active yet. Throws ValueError when the name is taken or reserved,
  /// or the rank is not positive.
  Adapter& add(std::string_view name, Init init, const AdapterOptions& options);
  /// Removes an adapter; none is active afterwards if it was.
  void remove(std::string_view name);

  int size() const { return int(adapters_.size()); }
  Adapter& operator[](int i) { return adapters_[size_t(i)]; }
  /// Null when there is none of that name.
  Adapter* find(std::string_view name);

  /// The adapter forward() applies; null when none.
  const Adapter* active() const { return active_ < 0 ? nullptr : &adapters_[size_t(active_)]; }
  /// Activates an adapter by name; any other name means none. Returns whether the name was found here.
  bool activate(std::string_view name);

 private:
  friend class AdapterScope;
  friend class ActiveAdapters;

  int index_of(std::string_view name) const;

  int64_t in_features_ = 0, out_features_ = 0;
  std::vector<Adapter> adapters_;
  int active_ = -1;
};

/// A layer that can carry adapters.
struct AdaptableLayer {
  std::string path;   ///< dotted, below the module it was asked for; "" when that is the layer itself
  Parameter* weight;  ///< of the base: [out, in, kernel…]
  AdapterList* adapters;
};

/// Every such layer below `module`, in the order of visit(). The pointers are good as long as the module lives.
std::vector<AdaptableLayer> adaptable_layers(Module& module);

/// Adds an adapter to every layer below `module` that can carry one and whose path ends with one of `targets` (all
/// layers when empty). Nothing is activated. Returns how many layers got one; throws ValueError when none did.
int add_adapters(Module& module, std::string_view name, Init init, const AdapterOptions& options = {},
                 const std::vector<std::string>& targets = {});

/// While alive, the adapter `name` is the active one in every layer below `module` that has it, and no adapter in those
/// that do not; "none" switches all off (the reference policy). The earlier choice comes back at the end.
/// The choice is state of the module: do not run one module under two scopes on two threads.
/// Throws ValueError when the name is neither "none" nor known to any layer.
class AdapterScope {
 public:
  AdapterScope(Module& module, std::string_view name);
  ~AdapterScope();
  AdapterScope(const AdapterScope&) = delete;
  AdapterScope& operator=(const AdapterScope&) = delete;

 private:
  std::vector<std::pair<AdapterList*, int>> before_;
};

/// Which adapter is active in every layer below a module: taken when a checkpointed block runs forward, put back while
/// it is recomputed (nn/checkpoint_module.h).
class ActiveAdapters {
 public:
  explicit ActiveAdapters(Module& module);
  /// Makes the remembered choice the present one and remembers the present one.
  void swap();

 private:
  std::vector<std::pair<AdapterList*, int>> choice_;
};

}  // namespace plumb
