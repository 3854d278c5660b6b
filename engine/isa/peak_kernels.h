#pragma once

#include <cstdint>

namespace plumb {

/// What an instruction set can do at best, for the roofline of engine/profile.
struct PeakKernels {
  /// Runs `rounds` rounds of multiply-adds on values in registers, `flops_per_round` operations each (a multiply-add is
  /// two). `sink` gets one float so that nothing is optimised away.
  void (*multiply_adds)(int64_t rounds, float* sink);
  int64_t flops_per_round;
  /// a = b + factor * c, `count` elements each: two streams read, one written.
  void (*triad)(float* a, const float* b, const float* c, float factor, int64_t count);
};

}  // namespace plumb
