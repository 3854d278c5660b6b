#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "nn/lora/adapter_config.h"
#include "nn/state_dict.h"

namespace plumb {

/// How files name the tensors of an adapter:
///   peft   COMPONENT.PATH.lora_A.weight [r, in(, kernel)]   COMPONENT.PATH.lora_B.weight [out, r(, 1, 1)]
///   kohya  KOHYA_PREFIX PATH, dots as underscores, then
///          .lora_down.weight [r, in(, kernel)]   .lora_up.weight [out, r(, 1, 1)]   .alpha []
enum class AdapterFormat { peft, kohya };

struct AdapterNames {
  std::string component = "unet";           ///< as diffusers' pipelines name the network
  std::string kohya_prefix = "lora_unet_";  ///< "lora_te_" for the text encoder of SD1, "lora_te1_", "lora_te2_" SDXL
};

/// The tensors of the adapter `name` (masters where there are any) as a file of `format` names them. They share memory
/// with the module, except alphas. Throws ValueError when no layer has the name, or two paths have one kohya name.
StateDict adapter_state_dict(Module& module, std::string_view name, AdapterFormat format,
                             const AdapterNames& names = {});

/// Adds an adapter with the tensors of a file to every layer they name; nothing is activated. Read are both formats
/// above, besides names without a component, those of PEFT's own files ("base_model.model.PATH…", "….lora_A.default…")
/// and of older diffusers ("….lora.down.weight"). Ranks come from the shapes; alpha from the tensor, else from
/// `config`, else it is the rank, as kohya's 0 is. Tensors are converted to each layer's own types.
/// Strict: with a config every layer it targets must be there with its rank, and every tensor must belong to a layer.
/// Returns the number of layers. Throws ValueError listing every missing, extra and misshaped name, or when the name
/// is taken or reserved; nothing is changed then.
int load_adapter_state(Module& module, std::string_view name, const StateDict& state,
                       const std::optional<AdapterConfig>& config = {}, const AdapterNames& names = {});

/// Whether the names are kohya's.
bool is_kohya(const StateDict& state, const AdapterNames& names = {});

}  // namespace plumb
