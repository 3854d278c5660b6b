#include "apps/common/jobs.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace plumb {

void run_jobs(int64_t jobs, int64_t count, const std::function<void(int64_t)>& work) {
  std::mutex mutex;
  int64_t next = 0;
  std::exception_ptr failed;
  const auto take_turns = [&] {
    for (;;) {
      int64_t mine = 0;
      {
        const std::lock_guard lock(mutex);
        if (failed || next == count) return;
        mine = next++;
      }
      try {
        work(mine);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failed) failed = std::current_exception();
      }
    }
  };
  std::vector<std::thread> threads;
  for (int64_t i = 1; i < std::min(jobs, count); ++i) threads.emplace_back(take_turns);
  take_turns();
  for (std::thread& thread : threads) thread.join();
  if (failed) std::rethrow_exception(failed);
}

}  // namespace plumb
