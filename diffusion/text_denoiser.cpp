#include "diffusion/text_denoiser.h"

#include "engine/require.h"

namespace plumb {

TextDenoiser::TextDenoiser(PictureDenoiser& network, ClipTextModel& encoder) : network_(&network), encoder_(&encoder) {
  require<ValueError>(network.context_features() == encoder.options().hidden_size,
                      "text denoiser: the network must take the encoder's features ({}, {})",
                      network.context_features(), encoder.options().hidden_size);
}

TextDenoiser::TextDenoiser(const TextDenoiser& other)
    : Denoiser(other),
      own_network_(clone(*other.network_)),
      own_encoder_(clone(*other.encoder_)),
      network_(own_network_.get()),
      encoder_(own_encoder_.get()) {}

Variable TextDenoiser::predict(const Variable& x, const Tensor& t, const Condition& condition) {
  require<ValueError>(condition.tokens.defined(), "text denoiser: the condition must have tokens");
  return network_->predict_in_context(x, t, condition, encoder_->forward(condition.tokens).last_hidden_state);
}

void TextDenoiser::visit(ModuleVisitor& visitor) {
  visitor("unet", *network_);
  visitor("text_encoder", *encoder_);
}

}  // namespace plumb
