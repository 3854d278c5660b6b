#include "apps/common/picture_shape.h"

#include "apps/common/exit_codes.h"
#include "engine/require.h"

namespace plumb {

int64_t reduction_of(const Pipeline& pipeline) { return pipeline.vae ? pipeline.vae->options().reduction() : 1; }

int64_t resolution_of(std::string_view verb, const Pipeline& pipeline, std::optional<int64_t> asked,
                      int64_t otherwise) {
  const int64_t own = pipeline.unet->sample_size().height, reduction = reduction_of(pipeline);
  const int64_t resolution = asked.value_or(reduction * (own > 0 ? own : otherwise));
  const int64_t multiple = reduction * pipeline.unet->multiple_of();
  require<UsageError>(resolution > 0, "{}: the model does not say for which size it was made; give --resolution", verb);
  require<UsageError>(resolution % multiple == 0, "{}: --resolution must be a multiple of {} for this model ({})", verb,
                      multiple, resolution);
  return resolution;
}

Shape sample_shape(const Pipeline& pipeline, int64_t resolution) {
  const int64_t side = resolution / reduction_of(pipeline);
  return {pipeline.unet->in_channels(), side, side};
}

void require_picture_channels(std::string_view verb, const Pipeline& pipeline) {
  const int64_t taken = pipeline.unet->in_channels();
  const int64_t given = pipeline.vae ? pipeline.vae->options().latent_channels : taken;
  require<UsageError>(given == taken && (pipeline.vae || given == 1 || given == 3),
                      "{}: the network must take {} ({} channels)", verb,
                      pipeline.vae ? "the autoencoder's latents" : "pictures of 1 or 3 channels", taken);
}

}  // namespace plumb
