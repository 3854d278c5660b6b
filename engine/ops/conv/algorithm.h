#pragma once

namespace plumb {

/// Winograd's convolution needs a quarter of the multiplications of the direct one, and its error is three to five
/// times as large: in f32 a root mean square of about 1e-6 of that of the result, not 3e-7. By default conv2d takes it
/// where it is faster (f32, 3x3 kernels, stride 1, dilation 1, one group, enough channels; algorithm.cpp has the rule).
/// false forbids it, for convolutions of the whole process that begin from now on.
void set_winograd_allowed(bool allowed);
bool winograd_allowed();

struct ConvGeometry;

enum class ConvDirection { forward, backward_x, backward_weight };
/// fitting: Winograd wherever its kernels exist, faster or not.
enum class WinogradChoice { never, faster, fitting };

/// Whether a convolution in f32 goes to Winograd's kernels: depends on sizes and on the choice in force alone.
bool takes_winograd(ConvDirection direction, const ConvGeometry& geometry);

/// While it lives another choice is in force, in the whole process: for tests and benchmarks.
class WinogradScope {
 public:
  explicit WinogradScope(WinogradChoice choice);
  ~WinogradScope();
  WinogradScope(const WinogradScope&) = delete;
  WinogradScope& operator=(const WinogradScope&) = delete;

 private:
  WinogradChoice before_;
};

}  // namespace plumb
