#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/dtype.h"
#include "engine/profile/profile.h"

namespace plumb {

/// The two ceilings of this machine [Williams, Waterman & Patterson 2009, "Roofline"]: operations a second, and bytes a
/// second by how much memory is touched (each level of cache has its own).
struct Roofline {
  struct Level {
    int64_t bytes;            ///< touched in all by the threads
    double bytes_per_second;  ///< of a triad, two streams read and one written
  };
  double flops_per_second = 0;     ///< f32 multiply-adds in registers, the widest instructions in use
  std::vector<Level> levels = {};  ///< from small to large
  std::string isa = {};
  int threads = 1;

  /// Bandwidth of the smallest level that holds so many bytes.
  double bandwidth(int64_t bytes) const;
  /// The shortest time in which work of this size could be done, in seconds: the longer of arithmetic and traffic.
  /// f64 runs at half the rate of f32.
  double floor_seconds(int64_t flops, int64_t bytes, DType dtype = DType::f32) const;
  /// The same for what an event declares.
  double floor_seconds(const ProfileEvent& event) const;
};

/// Measures both with the threads in use, in about a tenth of a second.
Roofline measure_roofline();

}  // namespace plumb
