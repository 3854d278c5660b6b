#pragma once

#include <cstdint>
#include <functional>

namespace plumb {

/// Calls work(0), …, work(count - 1), at most `jobs` at a time, each on some thread, begun in this order. For work that
/// waits for other processes; computation belongs to engine/parallel.h. After an exception nothing new begins, and the
/// first one is thrown once all have ended.
void run_jobs(int64_t jobs, int64_t count, const std::function<void(int64_t)>& work);

}  // namespace plumb
