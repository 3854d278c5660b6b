#pragma once

#include <memory>

#include "diffusion/picture_denoiser.h"
#include "nn/clip/clip_text_model.h"

namespace plumb {

/// A network that looks at text together with its text encoder, so that both are trained by one loss. Of the condition
/// it takes tokens where the network alone takes context: context = the encoder's last hidden state, normalised, as
/// encode_prompts() gives it. Its weights are the network's and the encoder's: "unet.…" and "text_encoder.…".
class TextDenoiser final : public Denoiser {
 public:
  /// A view of the two, which must outlive it. Throws ValueError unless their features fit.
  TextDenoiser(PictureDenoiser& network, ClipTextModel& encoder);
  /// A copy owns copies of both.
  explicit TextDenoiser(const TextDenoiser& other);

  /// Throws ValueError when the condition has no tokens; what the two throw.
  Variable predict(const Variable& x, const Tensor& t, const Condition& condition) override;
  void visit(ModuleVisitor& visitor) override;
  std::unique_ptr<Module> clone_module() const override { return std::make_unique<TextDenoiser>(*this); }

 private:
  std::unique_ptr<PictureDenoiser> own_network_;  // of a copy
  std::unique_ptr<ClipTextModel> own_encoder_;
  PictureDenoiser* network_;
  ClipTextModel* encoder_;
};

}  // namespace plumb
