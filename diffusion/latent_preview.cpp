#include "diffusion/latent_preview.h"

#include <array>

#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {

Tensor latent_preview(const Tensor& latents) {
  require<ShapeError>(latents.rank() == 4, "latent preview: latents must be [N, C, H, W] (rank {})", latents.rank());
  const Tensor x = latents.to(DType::f32);
  if (x.size(1) == 4) {
    constexpr std::array<std::array<double, 3>, 4> kRgb = {
        {{0.298, 0.207, 0.208}, {0.187, 0.286, 0.173}, {-0.158, 0.189, 0.264}, {-0.184, -0.271, -0.473}}};
    std::vector<Tensor> colors;
    for (size_t color = 0; color < 3; ++color) {
      Tensor sum = slice(x, 1, 0, 1) * kRgb[0][color];
      for (int64_t c = 1; c < 4; ++c) sum = sum + slice(x, 1, c, c + 1) * kRgb[size_t(c)][color];
      colors.push_back(sum);
    }
    return cat(colors, 1);
  }
  if (x.size(1) >= 3) return slice(x, 1, 0, 3);
  const Tensor one = slice(x, 1, 0, 1);
  return cat({one, one, one}, 1);
}

}  // namespace plumb
