#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nn/state_dict.h"

namespace plumb {

// Single files of Stable Diffusion keep the names of the code that trained them (latent diffusion, OpenCLIP); folders
// have diffusers' and transformers'. The rules here lead from a folder's name to the single file's. The way back
// applies them to every name of the module that is to be filled, so that no second set of rules can disagree.

/// How a tensor lies in the single file.
enum class LdmLayout {
  same,
  pointwise,   ///< [O, I, 1, 1], a 1x1 convolution, for [O, I]
  transposed,  ///< [I, O] for [O, I]
  third,       ///< rows of a fused weight [3 O, ...]: query, key, value
};

/// Where a tensor is in the single file.
struct LdmPlace {
  std::string name;
  LdmLayout layout = LdmLayout::same;
  int third = 0;  ///< which, for `third`
};

/// Names are those of UNet2DConditionModel, AutoencoderKL, CLIPTextModel.
enum class LdmPart { unet, vae, clip, open_clip };

/// The rules of one component, whose sizes they learn from its names.
class LdmNames {
 public:
  /// `names`: of all tensors of the component in a folder.
  LdmNames(LdmPart part, const std::vector<std::string>& names);

  /// The place of one of them, without the part's prefix. Throws ValueError for a name no rule knows.
  LdmPlace place(const std::string& name) const;

 private:
  std::string unet(std::string_view name) const;
  std::string unet_up(std::string_view name) const;
  LdmPlace vae(std::string_view name) const;

  LdmPart part_;
  int64_t layers_ = 0;                    // residual blocks of a level of the unet on the way down
  int64_t levels_ = 0;                    // of the autoencoder
  std::vector<bool> has_attention_ = {};  // of the unet's levels on the way up
};

/// The tensors of a component as the single file has them, names with `prefix`. Fused weights are put together.
/// Throws ValueError for a name no rule knows, or when a part of a fused weight is missing.
StateDict to_ldm(LdmPart part, const std::string& prefix, const StateDict& component);

/// What a component takes from a single file.
struct FromLdm {
  StateDict state;  ///< under the folder's names, over the file's memory where the layout allows
  /// In the single file's names and shapes.
  LoadReport report;
};

/// The way back. `targets` gives names and shapes of the component (shape_only tensors will do). Of `file` the tensors
/// whose names begin with `prefix` are looked at; those not used are in report.extra.
FromLdm from_ldm(LdmPart part, const std::string& prefix, const StateDict& targets, const StateDict& file);

}  // namespace plumb
