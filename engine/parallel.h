#pragma once

#include <cstdint>
#include <type_traits>

namespace plumb {

/// Threads that parallel_for uses, the caller included. Starts as the number of hardware threads.
int num_threads();
/// Throws ValueError when count < 1 or > 1024. Not to be called from inside parallel_for.
void set_num_threads(int count);

/// True inside a parallel_for body; nested loops then run inline.
bool in_parallel();

/// Makes the calling thread and later pool threads treat subnormal floats as zero: they cost a hundred times a normal
/// one. Programs call it first thing in main.
void flush_denormals();

/// Thread-local words that a parallel_for copies from the caller into its workers, so that a setting such as
/// "gradients are off" holds inside tasks too. Bit meanings belong to the folders above.
struct TaskContext {
  uint64_t flags = 0;
};
TaskContext& task_context();

namespace detail {
using ChunkFunction = void (*)(void* body, int64_t begin, int64_t end);
void run_chunks(int64_t count, int64_t grain, ChunkFunction call, void* body);
}  // namespace detail

/// Calls body(begin, end) on consecutive chunks of [0, count), each `grain` long but the last.
/// Chunk boundaries depend on count and grain alone, never on the number of threads, so a reduction that combines
/// per-chunk results in chunk order gives the same bits for any thread count. The first exception (by chunk) is
/// rethrown in the caller.
template <class F>
void parallel_for(int64_t count, int64_t grain, F&& body) {
  if (count <= grain) {
    if (count > 0) body(int64_t(0), count);
    return;
  }
  using Body = std::remove_reference_t<F>;
  detail::run_chunks(
      count, grain, [](void* object, int64_t begin, int64_t end) { (*static_cast<Body*>(object))(begin, end); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace plumb
