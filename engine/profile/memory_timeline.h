#pragma once

#include <string>
#include <vector>

#include "engine/profile/profile.h"

namespace plumb {

/// Bytes in use by tensors over a profile, as the allocator counts them (rounded up to its size classes).
struct MemoryTimeline {
  struct Point {
    int64_t time_ns;
    int64_t bytes;  ///< in use after this
    int32_t event;  ///< the op that took or gave back memory, or -1
  };
  /// Who had taken the bytes in use at the peak.
  struct Holder {
    std::string name;  ///< "forward / linear f32[64, 2] -> …", or "before the trace"
    int64_t bytes = 0;
    int64_t blocks = 0;  ///< 0 for what was there before
  };

  std::vector<Point> points;  ///< the first is the beginning
  int64_t peak_bytes = 0;
  int64_t peak_ns = 0;
  int32_t peak_event = -1;
  int64_t rounding_bytes = 0;   ///< of those taken during the profile: more than was asked for, by size classes
  std::vector<Holder> holders;  ///< at the peak, largest first; they add up to peak_bytes
};

MemoryTimeline memory_timeline(const Profile& profile);

/// The points as lines of text: time_us,allocated_bytes,change_bytes,op.
std::string memory_csv(const Profile& profile, const MemoryTimeline& timeline);

}  // namespace plumb
