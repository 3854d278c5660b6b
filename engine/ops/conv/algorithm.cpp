#include "engine/ops/conv/algorithm.h"

#include <atomic>

#include "engine/ceil_div.h"
#include "engine/isa/kernels.h"
#include "engine/ops/conv/winograd.h"

namespace plumb {
namespace {

std::atomic<WinogradChoice> choice_in_force{WinogradChoice::faster};

// The rule. A tile of up to 16 results costs 36 products where the direct convolution forms 9 for each result; the
// transforms of the kernels cost as much as `kernel_tiles` tiles more, whatever the number of channels. Measured on one
// core of a Zen 5 (bench/engine/ops/conv_bench.cpp), direct time over Winograd's, 3x3, padding 1:
//
//                               tiles   forward   to x   to weight
//   N16  64->64   @32            1024     3.1     3.3      3.0
//   N2  320->320  @64             512     2.8     3.0      2.4
//   N16 256->256  @4               16     2.1     3.0      2.0
//   N2 1280->1280 @8                8     1.3     2.0      1.1
//   N1  256->256  @8                4     1.0     1.9      1.0
//   N1  128->128  @5                4     0.5     1.1      0.7
//   N1  256->256  @4                1     0.4     0.9      0.7
//   N16   8->8    @32            1024     1.3     1.3      1.2
//   N1    3->128  @256           4096     0.7     2.6      0.7
//   N1  128->3    @256           4096     2.4     0.7      3.4
//
// Channels that are summed over must fill a vector: fewer gain little, and the larger error would be for nothing.

constexpr int64_t kLeastSummed = 16;

bool is_faster(ConvDirection direction, const ConvGeometry& g) {
  const bool to_x = direction == ConvDirection::backward_x;
  const Size2d& results = to_x ? g.input : g.output;
  const int64_t kernel_tiles = to_x ? 4 : direction == ConvDirection::forward ? 12 : 16;
  const int64_t tiles = g.batch * ceil_div(results.height, int64_t(4)) * ceil_div(results.width, int64_t(4));
  const int64_t summed = to_x ? g.out_channels : g.in_channels;
  return summed >= kLeastSummed && 9 * g.batch * results.height * results.width > 36 * (tiles + kernel_tiles);
}

}  // namespace

void set_winograd_allowed(bool allowed) { choice_in_force = allowed ? WinogradChoice::faster : WinogradChoice::never; }

bool winograd_allowed() { return choice_in_force != WinogradChoice::never; }

bool takes_winograd(ConvDirection direction, const ConvGeometry& geometry) {
  const WinogradChoice choice = choice_in_force;
  if (choice == WinogradChoice::never || !winograd_fits(kernels(), geometry)) return false;
  return choice == WinogradChoice::fitting || is_faster(direction, geometry);
}

WinogradScope::WinogradScope(WinogradChoice choice) : before_(choice_in_force.exchange(choice)) {}
WinogradScope::~WinogradScope() { choice_in_force = before_; }

}  // namespace plumb
