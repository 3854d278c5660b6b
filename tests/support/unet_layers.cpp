#include "tests/support/unet_layers.h"

namespace plumb::test {

void UnetLayers::convolution(const std::string& where, int64_t in, int64_t out, int64_t kernel, int64_t stride) {
  convolutions.push_back({where, unet_.batch, in, out, size_, kernel, stride});
}

void UnetLayers::residual(const std::string& where, int64_t in, int64_t out) {
  convolution(where + ".conv1", in, out, 3);
  convolution(where + ".conv2", out, out, 3);
  if (in != out) convolution(where + ".conv_shortcut", in, out, 1);
}

void UnetLayers::transformer(const std::string& where, size_t level) {
  const int64_t channels = unet_.channels[level], heads = unet_.heads[level], tokens = size_ * size_;
  if (unet_.convolutional[level]) convolution(where + ".proj", channels, channels, 1);
  attentions.push_back({where + ".attn1", unet_.batch, heads, tokens, tokens, channels / heads});
  attentions.push_back({where + ".attn2", unet_.batch, heads, tokens, unet_.context, channels / heads});
}

UnetLayers::UnetLayers(const UnetConfiguration& configuration) : unet_(configuration), size_(configuration.sample) {
  const std::vector<int64_t>& c = unet_.channels;
  const size_t levels = c.size();
  convolution("conv_in", 4, c[0], 3);
  std::vector<int64_t> skips{c[0]};  // channels of what the way up will be given
  int64_t now = c[0];
  for (size_t level = 0; level < levels; ++level) {
    const std::string where = "down." + std::to_string(level);
    for (int64_t i = 0; i < unet_.layers; ++i) {
      residual(where + ".resnets." + std::to_string(i), now, c[level]);
      now = c[level];
      if (unet_.heads[level] > 0) transformer(where + ".attentions." + std::to_string(i), level);
      skips.push_back(now);
    }
    if (level + 1 == levels) continue;
    convolution(where + ".downsampler", now, now, 3, 2);
    size_ /= 2;
    skips.push_back(now);
  }
  residual("mid.resnets.0", now, now);
  size_t middle = levels - 1;
  while (middle > 0 && unet_.heads[middle] == 0) --middle;
  if (unet_.attention_in_the_middle) transformer("mid.attentions.0", middle);
  for (size_t i = 0; i < levels; ++i) {
    const size_t level = levels - 1 - i;
    const std::string where = "up." + std::to_string(i);
    for (int64_t layer = 0; layer <= unet_.layers; ++layer) {
      residual(where + ".resnets." + std::to_string(layer), now + skips.back(), c[level]);
      skips.pop_back();
      now = c[level];
      if (unet_.heads[level] > 0) transformer(where + ".attentions." + std::to_string(layer), level);
    }
    if (level == 0) continue;
    size_ *= 2;
    convolution(where + ".upsampler", now, now, 3);
  }
  convolution("conv_out", now, 4, 3);
}

}  // namespace plumb::test
