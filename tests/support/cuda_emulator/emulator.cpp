// Threads run on fibers, one after the other on the same one until a thread waits: that thread keeps the fiber, and the
// next thread begins on another. A kernel without barriers and shuffles therefore needs one fiber for its whole grid.
// When every thread of a block has begun, the scheduler gives each that can run a turn, then lets go the warps and,
// when nobody else can run, the block, whose members have all arrived. Fibers are made by ucontext and switched by
// _setjmp, which makes no system call; sanitizers are told of every switch, and theirs are made by ucontext too.

#undef _FORTIFY_SOURCE  // its longjmp refuses to enter another stack

#include "tests/support/cuda_emulator/emulator.h"

#include <setjmp.h>
#include <ucontext.h>

#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/sanitized.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace plumb::emulator {

Size3 thread_index, block_index, block_size, grid_size;

namespace {

using test::kSanitized;

constexpr size_t kStackBytes = 128 << 10;
constexpr unsigned kLanes = 32;

struct Context {
  ucontext_t first = {};  // how it begins; with sanitizers also how it goes on
  jmp_buf next;
};

struct Fiber {
  Context context;
  std::unique_ptr<char[]> stack = std::make_unique_for_overwrite<char[]>(kStackBytes);
  bool begun = false;
  void* sanitizer_state = nullptr;

  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
};

enum class State : uint8_t { fresh, ready, at_barrier, in_exchange, done };

struct Thread {
  State state = State::fresh;
  Fiber* fiber = nullptr;  // while it waits
  // of the exchange it waits in
  unsigned mask = 0;
  int source = 0;
  uint64_t value = 0, result = 0;
};

struct Scheduler {
  const std::function<void()>* kernel = nullptr;
  std::vector<Thread> threads;  // of the block; up to date once one has waited
  size_t count = 0;             // of threads in a block
  size_t begun = 0;             // how many of this block
  bool has_waited = false;      // a thread of this block
  bool waits = false;           // the thread that ran last
  Fiber* running = nullptr;
  size_t number = 0;  // of the running thread
  std::vector<std::unique_ptr<Fiber>> fibers;
  std::vector<Fiber*> idle;
  std::exception_ptr failure;
  Context context;
  void* sanitizer_state = nullptr;
  const void* stack_bottom = nullptr;
  size_t stack_size = 0;
};
Scheduler& scheduler = *new Scheduler;  // never destroyed: fibers may outlive a failed kernel
ThreadOrder order = ThreadOrder::forward;

// The four points at which a switch is announced or has happened.
void leave_scheduler([[maybe_unused]] Fiber& fiber) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&scheduler.sanitizer_state, fiber.stack.get(), kStackBytes);
#endif
#if defined(__SANITIZE_THREAD__)
  scheduler.sanitizer_state = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(fiber.sanitizer_state, 0);
#endif
}
void arrive_in_scheduler() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(scheduler.sanitizer_state, nullptr, nullptr);
#endif
}
void leave_fiber([[maybe_unused]] Fiber& fiber) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&fiber.sanitizer_state, scheduler.stack_bottom, scheduler.stack_size);
#endif
#if defined(__SANITIZE_THREAD__)
  __tsan_switch_to_fiber(scheduler.sanitizer_state, 0);
#endif
}
void arrive_in_fiber([[maybe_unused]] void* state) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(state, &scheduler.stack_bottom, &scheduler.stack_size);
#endif
}

[[gnu::noinline]] void switch_contexts(Context& from, Context& to, bool begun) {
  if (kSanitized) {
    swapcontext(&from.first, &to.first);
    return;
  }
  if (_setjmp(from.next) != 0) return;
  if (begun) _longjmp(to.next, 1);
  setcontext(&to.first);
}

void enter(Fiber& fiber) {
  leave_scheduler(fiber);
  switch_contexts(scheduler.context, fiber.context, std::exchange(fiber.begun, true));
  arrive_in_scheduler();
}

void leave(Fiber& fiber) {
  leave_fiber(fiber);
  switch_contexts(fiber.context, scheduler.context, true);
  arrive_in_fiber(fiber.sanitizer_state);
}

void set_thread(size_t number) {
  scheduler.number = number;
  if (block_size.y == 1 && block_size.z == 1)
    thread_index = {unsigned(number), 0, 0};
  else
    thread_index = {unsigned(number % block_size.x), unsigned(number / block_size.x % block_size.y),
                    unsigned(number / block_size.x / block_size.y)};
}

/// Of the i-th thread to begin.
size_t number_of(size_t i) { return order == ThreadOrder::forward ? i : scheduler.count - 1 - i; }

bool advance_block() {
  if (++block_index.x == grid_size.x) {
    block_index.x = 0;
    if (++block_index.y == grid_size.y) {
      block_index.y = 0;
      if (++block_index.z == grid_size.z) return false;
    }
  }
  scheduler.begun = 0;
  scheduler.has_waited = false;
  return true;
}

/// Goes on to the next thread that has not begun, if need be of the next block.
bool begin_thread() {
  if (scheduler.failure) return false;
  if (scheduler.begun == scheduler.count && (scheduler.has_waited || !advance_block())) return false;
  set_thread(number_of(scheduler.begun++));
  return true;
}

void run_fiber() {
  Fiber& fiber = *scheduler.running;
  arrive_in_fiber(nullptr);
  for (;;) {
    while (begin_thread()) {
      try {
        (*scheduler.kernel)();
      } catch (...) {
        scheduler.failure = std::current_exception();
      }
      if (scheduler.has_waited) scheduler.threads[scheduler.number].state = State::done;
    }
    leave(fiber);
  }
}

/// Only now are the threads' states kept: those that have begun are done.
void note_first_wait() {
  scheduler.has_waited = true;
  scheduler.threads.assign(scheduler.count, Thread());
  for (size_t i = 0; i < scheduler.begun; ++i) scheduler.threads[number_of(i)].state = State::done;
}

void yield(State state) {
  if (!scheduler.running) throw std::logic_error("emulator: a barrier or a shuffle outside a kernel");
  if (!scheduler.has_waited) note_first_wait();
  Fiber& fiber = *scheduler.running;
  Thread& thread = scheduler.threads[scheduler.number];
  thread.state = state;
  thread.fiber = &fiber;
  scheduler.waits = true;
  leave(fiber);
}

void give_turn(Fiber& fiber) {
  scheduler.running = &fiber;
  scheduler.waits = false;
  enter(fiber);
  scheduler.running = nullptr;
  if (!scheduler.waits) scheduler.idle.push_back(&fiber);
  if (scheduler.failure) std::rethrow_exception(std::exchange(scheduler.failure, nullptr));
}

void begin_threads() {
  while (scheduler.begun < scheduler.count) {
    if (scheduler.idle.empty())
      scheduler.idle.push_back(scheduler.fibers.emplace_back(std::make_unique<Fiber>()).get());
    Fiber& fiber = *scheduler.idle.back();
    scheduler.idle.pop_back();
    give_turn(fiber);
  }
}

/// Gives every thread that can run a turn. False when none could.
bool give_turns() {
  bool any = false;
  for (size_t i = 0; i < scheduler.count; ++i) {
    Thread& thread = scheduler.threads[number_of(i)];
    if (thread.state != State::ready) continue;
    set_thread(number_of(i));
    give_turn(*thread.fiber);
    any = true;
  }
  return any;
}

/// Of the warp whose first thread is `first`: lane `lane` takes part in an exchange of `mask`.
bool is_in_exchange(size_t first, unsigned lane, unsigned mask) {
  const size_t number = first + lane;
  return number < scheduler.count && scheduler.threads[number].state == State::in_exchange &&
         scheduler.threads[number].mask == mask;
}

bool is_complete(size_t first, unsigned mask) {
  for (unsigned lane = 0; lane < kLanes; ++lane)
    if ((mask >> lane & 1u) && !is_in_exchange(first, lane, mask)) return false;
  return true;
}

void complete(size_t first, unsigned mask) {
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    if (!(mask >> lane & 1u)) continue;
    Thread& thread = scheduler.threads[first + lane];
    thread.result = scheduler.threads[first + size_t(thread.source)].value;
  }
  for (unsigned lane = 0; lane < kLanes; ++lane)
    if (mask >> lane & 1u) scheduler.threads[first + lane].state = State::ready;
}

bool release_warps() {
  bool any = false;
  for (size_t number = 0; number < scheduler.count; ++number) {
    const Thread& thread = scheduler.threads[number];
    const size_t first = number / kLanes * kLanes;
    if (thread.state != State::in_exchange || !is_complete(first, thread.mask)) continue;
    complete(first, thread.mask);
    any = true;
  }
  return any;
}

bool release_block() {
  for (const Thread& thread : scheduler.threads)
    if (thread.state != State::at_barrier) return false;
  for (Thread& thread : scheduler.threads) thread.state = State::ready;
  return true;
}

[[noreturn]] void report_stuck() {
  std::string message = "emulator: threads wait for each other for ever:";
  for (size_t i = 0; i < scheduler.count && i < 2 * kLanes; ++i) {
    const State state = scheduler.threads[i].state;
    message.append(" ").append(std::to_string(i));
    message.append(state == State::done         ? " has left,"
                   : state == State::at_barrier ? " at a barrier,"
                                                : " in a shuffle,");
  }
  throw std::logic_error(message);
}

void run_blocks() {
  do {
    scheduler.begun = 0;
    scheduler.has_waited = false;
    begin_threads();
    if (!scheduler.has_waited) return;  // and so went on to the last block
    while (give_turns() || release_warps() || release_block()) {
    }
    for (const Thread& thread : scheduler.threads)
      if (thread.state != State::done) report_stuck();
  } while (advance_block());
}

Fiber::Fiber() {
#if defined(__SANITIZE_THREAD__)
  sanitizer_state = __tsan_create_fiber(0);
#endif
  getcontext(&context.first);
  context.first.uc_stack.ss_sp = stack.get();
  context.first.uc_stack.ss_size = kStackBytes;
  makecontext(&context.first, run_fiber, 0);
}

Fiber::~Fiber() {
#if defined(__SANITIZE_THREAD__)
  __tsan_destroy_fiber(sanitizer_state);
#endif
}

}  // namespace

void set_thread_order(ThreadOrder new_order) { order = new_order; }

void run_grid(Size3 grid, Size3 block, const std::function<void()>& kernel) {
  static std::mutex& mutex = *new std::mutex;  // there is one device
  const std::lock_guard lock(mutex);
  scheduler.kernel = &kernel;
  scheduler.count = size_t(block.x) * block.y * block.z;
  grid_size = grid;
  block_size = block;
  block_index = {0, 0, 0};
  try {
    run_blocks();
  } catch (...) {
    scheduler.idle.clear();
    scheduler.fibers.clear();  // those of threads that wait cannot be used again
    throw;
  }
}

void wait_for_block() { yield(State::at_barrier); }

int current_lane() { return int(scheduler.number % kLanes); }

uint64_t exchange_in_warp(unsigned mask, uint64_t value, int source) {
  const int lane = current_lane();
  if (source < 0 || source >= int(kLanes) || !(mask >> lane & 1u) || !(mask >> source & 1u))
    throw std::logic_error("emulator: a shuffle's mask must name the lane that calls and the one it reads (lane " +
                           std::to_string(lane) + " reads " + std::to_string(source) + ")");
  if (scheduler.has_waited == false) note_first_wait();
  const size_t number = scheduler.number;
  Thread& thread = scheduler.threads[number];
  thread.mask = mask;
  thread.value = value;
  thread.source = source;
  yield(State::in_exchange);
  return scheduler.threads[number].result;
}

}  // namespace plumb::emulator
