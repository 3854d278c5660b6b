#pragma once

#include "apps/train/pictures/settings.h"
#include "diffusion/pipeline/pipeline.h"
#include "nn/data/picture_dataset.h"

namespace plumb::train {

/// The pipeline a run trains the network of: a folder's, with a new network where one is asked for, or a new one for
/// pixels. Its modules are on the CPU. Throws UsageError, ValueError or IoError naming what does not fit.
Pipeline make_pipeline(const PictureSettings& settings, const PictureDataset& data, Generator& generator);

/// The config.json of a new network: tiny (about 0.7 million weights, for 16 to 64 pixels) or small (about 15 million).
/// `classes` of 0 makes an unconditional one; `context` of 0 one that looks at no text.
struct NewUNet {
  std::string size;
  int64_t resolution = 64;
  int64_t channels = 3;
  int64_t classes = 0;
  int64_t context = 0;
};
Json new_unet_config(const NewUNet& unet);

/// SHA-256 of a module's names, shapes and first values: enough to tell models apart without reading them whole.
std::string fingerprint(Module& module);

/// The same of every value.
std::string weights_hash(Module& module);

}  // namespace plumb::train
