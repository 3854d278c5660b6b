#include "diffusion/picture_denoiser.h"

#include "diffusion/unet_condition_denoiser.h"
#include "diffusion/unet_denoiser.h"
#include "engine/require.h"
#include "nn/unet/unet2d_condition_config.h"
#include "nn/unet/unet2d_config.h"

namespace plumb {

Variable PictureDenoiser::predict_in_context(const Variable&, const Tensor&, const Condition&, const Variable&) {
  raise<ValueError>("denoiser: this network looks at no text ({})", config().at("_class_name").as_string());
}

std::unique_ptr<PictureDenoiser> make_picture_denoiser(const Json& config, Init init) {
  const std::string& name = config.at("_class_name").as_string();
  if (name == "UNet2DModel") return std::make_unique<UNetDenoiser>(unet2d_options(config), init);
  if (name == "UNet2DConditionModel")
    return std::make_unique<UNetConditionDenoiser>(unet2d_condition_options(config), init);
  raise<ValueError>("denoiser config: _class_name must be UNet2DModel or UNet2DConditionModel ({})", name);
}

}  // namespace plumb
