#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nn/visitors.h"

namespace plumb {

/// A tensor under a name; a state dict is a list of them in a fixed order.
struct NamedTensor {
  std::string name;
  Tensor tensor;
};
using StateDict = std::vector<NamedTensor>;

/// Names, shapes and dtypes of a module's own weights, without memory (nn/shape_only.h).
StateDict shapes_of(Module& module);

/// The weights of a module (the masters where there are any), sharing memory with it: clone them to keep them.
/// By default the base weights alone, under the names published files use; adapters have their own names
/// (visitors.h, Include).
StateDict state_dict(Module& module, Include include = Include::base);

struct LoadOptions {
  Include include = Include::base;
  /// Names without a partner on the other side are errors. Otherwise they are passed over.
  bool strict = true;
};

/// What did not fit. Empty lists after a strict load.
struct LoadReport {
  std::vector<std::string> missing;    ///< in the module, not in the state
  std::vector<std::string> extra;      ///< in the state, not in the module
  std::vector<std::string> misshaped;  ///< "name (expected [a, b], got [c])"; always an error
};

/// Throws ValueError "WHAT: names and shapes must match; …" listing everything the report holds,
/// unless it is empty or, when not strict, holds missing and extra names alone.
void require_match(const char* what, const LoadReport& report, bool strict = true);

/// What of a state does not fit a module, or the names and shapes of `targets`; nothing is changed. Throws ValueError
/// for a name given twice.
LoadReport compare_names(Module& module, const StateDict& state, Include include = Include::base);
LoadReport compare_names(const StateDict& targets, const StateDict& state);

/// Copies a state into a module, converting each tensor to the parameter's own types. Nothing is written unless
/// everything fits. Throws ValueError listing every missing, extra and misshaped name, or a name given twice.
LoadReport load_state_dict(Module& module, const StateDict& state, const LoadOptions& options = {});

struct AdoptOptions {
  Include include = Include::base;
  bool strict = true;  ///< as in LoadOptions
  /// What the parameters are to be; their own dtype unless set.
  std::optional<DType> dtype = {};
  /// The dtype of each given tensor instead, where that is floating.
  bool as_stored = false;
};

/// load_state_dict, but the parameters take the given tensors over where dtype and layout allow, and share memory with
/// them from then on: weights of a mapped file are not copied, and are read from the disk when they are used. Others
/// are converted. There are no masters after. For a module made with Init::shapes(), which needs no memory before.
/// Throws as load_state_dict; DTypeError for a dtype that is not floating.
LoadReport adopt_state_dict(Module& module, const StateDict& state, const AdoptOptions& options = {});

/// load_state_dict for any named tensors of one's own (an optimiser's): copies `state` into `targets`, strict.
/// `what` begins the error message.
void load_tensors(const char* what, const StateDict& targets, const StateDict& state);

}  // namespace plumb
