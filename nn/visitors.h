#pragma once

#include <string>
#include <vector>

#include "nn/module.h"

namespace plumb {

/// A parameter under its dotted path. The pointer is good as long as the module lives and gets no new adapters.
struct NamedParameter {
  std::string name;
  Parameter* parameter;
};
using ParameterList = std::vector<NamedParameter>;

/// Which parameters a function looks at.
enum class Include {
  base,      ///< the module's own weights
  adapters,  ///< those of adapters: "….adapters.NAME.down" and "….adapters.NAME.up"
  all,
};

/// Parameters in the order of visit().
ParameterList parameters(Module& module, Include include = Include::all);
/// Those that are not frozen: what an optimiser takes.
ParameterList trainable(const ParameterList& parameters);

/// Where a module's weights live: its first parameter's device; the CPU without any.
Device device_of(Module& module);

/// Elements of all parameters.
int64_t count(const ParameterList& parameters);
void zero_grad(const ParameterList& parameters);
void zero_grad(Module& module);
/// Freezes (false) or trains parameters.
void set_requires_grad(const ParameterList& parameters, bool required);
void set_requires_grad(Module& module, bool required, Include include = Include::all);
/// Trains the adapter `name` alone: everything else is frozen. Throws ValueError when there is none of that name.
void train_adapter_only(Module& module, std::string_view name);

/// Changes the compute dtype of every parameter; with keep_master, 16-bit values keep an f32 master (nn/parameter.h).
void to_dtype(Module& module, DType dtype, bool keep_master = true);
/// Moves every parameter, those of adapters included, to `device` (nn/parameter.h). Weights are made on the CPU and
/// moved, so that a seed gives the same bits everywhere. Before an optimiser or an average of them is built.
/// Throws DeviceError.
void to_device(Module& module, Device device);

}  // namespace plumb
