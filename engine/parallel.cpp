// One pool. Workers sleep on a condition variable between loops; inside a loop threads draw chunk numbers from one
// atomic counter. A loop started while another thread's loop is running is run inline by its caller, which keeps the
// pool simple and cannot deadlock.

#include "engine/parallel.h"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/require.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace plumb {
namespace {

thread_local bool inside = false;
std::atomic<bool> flush_in_workers{false};

void flush_this_thread() {
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040u);  // flush-to-zero and denormals-are-zero
#endif
}

struct Job {
  detail::ChunkFunction call = nullptr;
  void* body = nullptr;
  int64_t count = 0, grain = 0, chunks = 0;
  TaskContext context;
  std::atomic<int64_t> next{0};
  std::mutex error_mutex;
  std::exception_ptr error;
  int64_t error_chunk = 0;

  void run_one(int64_t chunk) {
    const int64_t begin = chunk * grain;
    try {
      call(body, begin, begin + grain < count ? begin + grain : count);
    } catch (...) {
      std::lock_guard lock(error_mutex);
      if (!error || chunk < error_chunk) {
        error = std::current_exception();
        error_chunk = chunk;
      }
    }
  }

  void work() {
    inside = true;
    for (int64_t chunk; (chunk = next.fetch_add(1, std::memory_order_relaxed)) < chunks;) run_one(chunk);
    inside = false;
  }
};

class Pool {
 public:
  explicit Pool(int threads) {
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { serve(); });
  }
  ~Pool() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }
  int threads() const { return int(workers_.size()) + 1; }

  /// False when another thread is using the pool.
  bool run(Job& job) {
    std::unique_lock owner(owner_, std::try_to_lock);
    if (!owner) return false;
    {
      std::lock_guard lock(mutex_);
      job_ = &job;
      running_ = int(workers_.size());
      ++generation_;
    }
    wake_.notify_all();
    job.work();
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return running_ == 0; });
    job_ = nullptr;
    return true;
  }

 private:
  void serve() {
    uint64_t seen = 0;
    for (;;) {
      Job* job;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return stopping_ || generation_ != seen; });
        if (stopping_) return;
        seen = generation_;
        job = job_;
      }
      if (flush_in_workers.load(std::memory_order_relaxed)) flush_this_thread();
      task_context() = job->context;
      job->work();
      std::lock_guard lock(mutex_);
      if (--running_ == 0) done_.notify_one();
    }
  }

  std::vector<std::thread> workers_;
  std::mutex owner_, mutex_;
  std::condition_variable wake_, done_;
  Job* job_ = nullptr;
  int running_ = 0;
  uint64_t generation_ = 0;
  bool stopping_ = false;
};

std::mutex pool_mutex;
std::shared_ptr<Pool> current_pool;
std::atomic<int> thread_count{0};

std::shared_ptr<Pool> pool() {
  std::lock_guard lock(pool_mutex);
  if (!current_pool) current_pool = std::make_shared<Pool>(num_threads());
  return current_pool;
}

int hardware_threads() {
  const unsigned count = std::thread::hardware_concurrency();
  return count == 0 ? 1 : int(count);
}

}  // namespace

int num_threads() {
  const int count = thread_count.load(std::memory_order_relaxed);
  return count ? count : hardware_threads();
}

void set_num_threads(int count) {
  require<ValueError>(count >= 1 && count <= 1024, "set_num_threads: count must be in [1, 1024] ({})", count);
  require<ValueError>(!inside, "set_num_threads: must not be called inside parallel_for");
  std::lock_guard lock(pool_mutex);
  thread_count.store(count);
  if (current_pool && current_pool->threads() != count) current_pool.reset();
}

bool in_parallel() { return inside; }

void flush_denormals() {
  flush_in_workers.store(true);
  flush_this_thread();
}

TaskContext& task_context() {
  static thread_local TaskContext context;
  return context;
}

namespace detail {

void run_chunks(int64_t count, int64_t grain, ChunkFunction call, void* body) {
  Job job;
  job.call = call;
  job.body = body;
  job.count = count;
  job.grain = grain;
  job.chunks = (count + grain - 1) / grain;
  job.context = task_context();
  const bool pooled = !inside && num_threads() > 1 && pool()->run(job);
  if (!pooled) {  // nested, alone, or the pool is busy: same chunks, same order, this thread
    for (int64_t chunk = 0; chunk < job.chunks; ++chunk) job.run_one(chunk);
  }
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace detail
}  // namespace plumb
