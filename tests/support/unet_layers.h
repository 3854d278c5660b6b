#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

// The convolutions and attentions of a UNet, read off its published configuration (diffusers' unet/config.json).

namespace plumb::test {

struct UnetConfiguration {
  std::string name;
  std::vector<int64_t> channels;        ///< block_out_channels
  std::vector<int64_t> heads;           ///< of each level; 0: no attention there
  std::vector<bool> convolutional;      ///< whether a level's proj_in and proj_out are 1x1 convolutions
  int64_t sample = 64, batch = 1;       ///< latents are [batch, 4, sample, sample]
  int64_t layers = 2, context = 77;     ///< layers_per_block; tokens of the text
  bool attention_in_the_middle = true;  ///< with the heads of the last level that has any
};

struct ConvolutionLayer {
  std::string where;
  int64_t batch, in, out, size, kernel, stride;
  auto key() const { return std::tuple(batch, in, out, size, kernel, stride); }
};
struct AttentionLayer {
  std::string where;
  int64_t batch, heads, queries, keys, depth;
  auto key() const { return std::tuple(batch, heads, queries, keys, depth); }
};

/// The network walked once, in the order of its forward; layers of one shape appear as often as they occur.
class UnetLayers {
 public:
  explicit UnetLayers(const UnetConfiguration& configuration);

  std::vector<ConvolutionLayer> convolutions;
  std::vector<AttentionLayer> attentions;

 private:
  void convolution(const std::string& where, int64_t in, int64_t out, int64_t kernel, int64_t stride = 1);
  void residual(const std::string& where, int64_t in, int64_t out);
  void transformer(const std::string& where, size_t level);

  const UnetConfiguration& unet_;
  int64_t size_;  // of the pictures at this point
};

}  // namespace plumb::test
