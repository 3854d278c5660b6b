#pragma once

#include <string>
#include <vector>

#include "diffusion/pipeline/pipeline.h"
#include "diffusion/sampler/sample_pictures.h"
#include "engine/io/image.h"

namespace plumb {

struct SampleGridOptions {
  std::vector<std::string> prompts = {};  ///< a picture each, where the network looks at text
  int64_t count = 16;                     ///< pictures, where it does not
  int64_t classes = 0;                    ///< labels shown in turn; 0: as many as the network knows
  int64_t steps = 50;                     ///< of DDIM
  double guidance_scale = 7.5;            ///< with text
  int64_t seed = 0;                       ///< of the first picture; the others' count up
  int64_t resolution = 64;                ///< in pixels
  bool text_changes = false;              ///< the text encoder is trained: prompts are encoded at every draw
  Device device = kCpu;
};

/// Pictures that a run draws now and then, always from the same seeds.
class SampleGrid {
 public:
  /// `pipeline` must outlive it; its unet is looked at now alone.
  SampleGrid(const SampleGridOptions& options, Pipeline& pipeline);

  /// One picture after the other, by any network of the pipeline's kind.
  std::vector<Image> draw(Denoiser& network);
  /// Prompts, sampler and seeds, in lines for people.
  std::string facts() const;
  /// Draws and writes FOLDER/step-00000500.png, a row of at most eight classes under the other. Throws IoError.
  void write_step(const std::string& folder, int64_t step, Denoiser& network);

 private:
  PictureStart start();

  SampleGridOptions options_;
  Pipeline& pipeline_;
  bool text_;
  int64_t classes_, count_;
  Shape shape_;
  Condition positive_, negative_;  // of the prompts, once they were needed
};

}  // namespace plumb
