#include "nn/unet/class_embedding.h"

#include "engine/format.h"
#include "nn/layers/timestep_embedding.h"

namespace plumb {

Variable unet2d_condition_sinusoids(const UNet2DConditionOptions& options, const Tensor& t, int64_t features,
                                    DType dtype) {
  return Variable(
      timestep_embedding(t, features,
                         {.flip_sin_to_cos = options.flip_sin_to_cos, .downscale_freq_shift = options.freq_shift})
          .to(dtype));
}

ClassEmbedding::ClassEmbedding(const UNet2DConditionOptions& o, Init init) : options_(o) {
  if (o.class_embed_type.empty()) table_.emplace(*o.num_class_embeds, o.time_features(), init);
  if (o.class_embed_type == "timestep")
    mlp_.emplace(o.block_out_channels[0], o.time_features(), init, activation_kind(o.act_fn));
  if (o.class_embed_type == "projection")
    mlp_.emplace(*o.projection_class_embeddings_input_dim, o.time_features(), init);
  if (o.class_embed_type == "simple_projection")
    linear_.emplace(*o.projection_class_embeddings_input_dim, o.time_features(), init);
}

void ClassEmbedding::check(const Tensor& labels, int64_t pictures) const {
  const bool vectors = !table_ && options_.class_embed_type != "timestep";
  if (!vectors)
    return require<ShapeError>(labels.shape() == Shape{pictures},
                               "UNet2DConditionModel: there must be one class label for each picture; labels {}, {} "
                               "pictures",
                               labels, pictures);
  const int64_t features = options_.class_embed_type == "identity" ? options_.time_features()
                                                                   : *options_.projection_class_embeddings_input_dim;
  require<ShapeError>(labels.shape() == Shape{pictures, features},
                      "UNet2DConditionModel: class labels of class_embed_type {} must be [{}, {}]; {}",
                      options_.class_embed_type, pictures, features, labels);
}

Variable ClassEmbedding::forward(const Tensor& labels, const Tensor& t, DType dtype) const {
  if (table_) return table_->forward(labels);
  if (linear_) return linear_->forward(labels.to(dtype));
  if (!mlp_) return labels.to(dtype);
  if (options_.class_embed_type == "projection") return mlp_->forward(labels.to(dtype));
  return mlp_->forward(
      unet2d_condition_sinusoids(options_, labels.to(t.dtype()), options_.block_out_channels[0], dtype));
}

void ClassEmbedding::visit(ModuleVisitor& visitor) {
  if (table_) table_->visit(visitor);
  if (mlp_) mlp_->visit(visitor);
  if (linear_) linear_->visit(visitor);
}

}  // namespace plumb
