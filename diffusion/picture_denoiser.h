#pragma once

#include <memory>
#include <optional>

#include "diffusion/denoiser.h"
#include "engine/io/json.h"
#include "engine/ops/conv/conv2d.h"
#include "engine/random/random_key.h"
#include "nn/init.h"

namespace plumb {

/// A denoiser of pictures (or of an autoencoder's latents): a network as diffusers configures it, whose weights keep
/// its names.
/// x: [N, in_channels, H, W], and as many channels come out. x and the condition are rounded to the weights' type, and
/// the prediction is brought back to x's.
class PictureDenoiser : public Denoiser {
 public:
  /// Of x.
  virtual int64_t in_channels() const = 0;
  /// Height and width the network was trained on, if its configuration says so; {0, 0} otherwise.
  virtual Size2d sample_size() const = 0;
  /// H and W must be multiples of it.
  virtual int64_t multiple_of() const = 0;
  /// The number of classes that labels choose from; 0 for a network without a table of them.
  virtual int64_t classes() const = 0;
  /// Features of a token of the condition's context; 0 for a network that looks at none.
  virtual int64_t context_features() const = 0;
  /// The network's config.json, with its _class_name.
  virtual Json config() const = 0;
  /// Of the weights.
  virtual DType dtype() = 0;

  /// predict() of a condition whose context is `context`, to which gradients go. Throws ValueError where the network
  /// looks at none.
  virtual Variable predict_in_context(const Variable& x, const Tensor& t, const Condition& condition,
                                      const Variable& context);

  /// While on, training keeps less and computes more: see the networks.
  virtual void set_gradient_checkpointing(bool on) = 0;
  /// From now on predict() drops activations by this key (the configuration's dropout); none switches it off.
  void set_dropout(std::optional<RandomKey> key) { dropout_ = key; }

 protected:
  std::optional<RandomKey> dropout_;
};

/// The denoiser that a network's config.json describes, by its _class_name: UNet2DModel or UNet2DConditionModel.
/// Throws ValueError naming the key that is missing, unknown, impossible or not supported.
std::unique_ptr<PictureDenoiser> make_picture_denoiser(const Json& config, Init init);

}  // namespace plumb
