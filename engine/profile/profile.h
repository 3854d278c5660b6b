#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/dtype.h"
#include "engine/shape.h"

namespace plumb {

/// What an event is: an op of engine/ops, one node of the backward sweep, or a named stretch of the program.
enum class EventKind : uint8_t { op, backward, range };

/// Shape and type of a tensor that an op read or wrote.
struct Operand {
  Shape shape;
  DType dtype = DType::f32;
};

/// One op, node or range, from its first instruction to its last. Times are nanoseconds since the profile began.
struct ProfileEvent {
  static constexpr int kInputs = 4;

  const char* name = "";
  EventKind kind = EventKind::op;
  int32_t thread = 0;   ///< numbered in order of first appearance
  int32_t parent = -1;  ///< index of the enclosing event of the same thread, or -1
  int64_t begin_ns = 0, end_ns = 0;
  int64_t children_ns = 0;       ///< spent in events directly inside this one
  int64_t read_bytes = 0;        ///< of the tensors read, every element once: the least possible traffic
  int64_t written_bytes = 0;     ///< of the tensors written
  int64_t flops = 0;             ///< a multiply-add is two; a function such as exp is one
  int64_t allocated_before = 0;  ///< bytes in use by tensors when it began, and when it ended
  int64_t allocated_after = 0;
  int32_t input_count = 0;
  std::array<Operand, kInputs> inputs = {};  ///< the first few
  Operand output = {};
  bool has_output = false;

  int64_t duration_ns() const { return end_ns - begin_ns; }
  int64_t self_ns() const { return duration_ns() - children_ns; }
  int64_t bytes() const { return read_bytes + written_bytes; }
  /// Events that only call others (a backward node, a range) declare no work of their own.
  bool has_work() const { return flops > 0 || bytes() > 0; }
};

/// A block of the allocator taken (bytes > 0) or given back (bytes < 0).
struct MemoryEvent {
  int64_t time_ns = 0;
  int64_t bytes = 0;
  int64_t requested_bytes = 0;  ///< what was asked for, before rounding up; 0 when given back
  const void* block = nullptr;
  int32_t event = -1;  ///< innermost open event of the thread, or -1
};

/// The first op whose output held a NaN or an infinity.
struct NonFinite {
  int32_t event = -1;  ///< -1: there was none
  int64_t element = 0;
  double value = 0;
  bool inputs_finite = true;  ///< the op made it itself
};

/// What a Profiler recorded.
struct Profile {
  std::vector<ProfileEvent> events;  ///< in order of their beginnings
  std::vector<MemoryEvent> memory;   ///< in order of time
  int64_t duration_ns = 0;
  int64_t allocated_before = 0;  ///< bytes in use when it began
  NonFinite non_finite;
};

/// "forward / linear / matmul": the names of an event and of those around it.
std::string path_of(const Profile& profile, int32_t event);
/// The outermost range an event lies in, or "".
const char* phase_of(const Profile& profile, int32_t event);

}  // namespace plumb
