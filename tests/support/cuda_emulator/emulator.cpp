// Fibers by ucontext. The scheduler gives every thread that can run a turn, then lets go the warps and, when nobody
// else can run, the block, whose members have all arrived. Sanitizers are told of every switch of stacks.

#include "tests/support/cuda_emulator/emulator.h"

#include <ucontext.h>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace plumb::emulator {

Size3 thread_index, block_index, block_size, grid_size;

namespace {

constexpr size_t kStackBytes = 128 << 10;
constexpr unsigned kLanes = 32;

enum class State { fresh, ready, at_barrier, in_exchange, done };

struct Fiber {
  ucontext_t context = {};
  std::unique_ptr<char[]> stack;
  State state = State::fresh;
  Size3 index;
  // of the exchange it waits in
  unsigned mask = 0;
  uint64_t value = 0, result = 0;
  int source = 0;
  void* sanitizer_state = nullptr;
};

struct Scheduler {
  std::vector<Fiber> fibers;
  std::vector<std::unique_ptr<char[]>> idle_stacks;
  const std::function<void()>* kernel = nullptr;
  Fiber* running = nullptr;
  size_t number = 0;  // of the running one
  ucontext_t context = {};
  std::exception_ptr failure;
  void* sanitizer_state = nullptr;
  const void* stack_bottom = nullptr;
  size_t stack_size = 0;
};
Scheduler scheduler;
ThreadOrder order = ThreadOrder::forward;

// The four points at which a switch is announced or has happened.
void leave_scheduler([[maybe_unused]] Fiber& fiber) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&scheduler.sanitizer_state, fiber.stack.get(), kStackBytes);
#endif
#if defined(__SANITIZE_THREAD__)
  if (!scheduler.sanitizer_state) scheduler.sanitizer_state = __tsan_get_current_fiber();
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
  __sanitizer_start_switch_fiber(fiber.state == State::done ? nullptr : &fiber.sanitizer_state, scheduler.stack_bottom,
                                 scheduler.stack_size);
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

void run_thread() {
  arrive_in_fiber(nullptr);
  try {
    (*scheduler.kernel)();
  } catch (...) {
    scheduler.failure = std::current_exception();
  }
  Fiber& fiber = *scheduler.running;
  fiber.state = State::done;
  leave_fiber(fiber);
  setcontext(&scheduler.context);
}

void yield(State state) {
  Fiber& fiber = *scheduler.running;
  fiber.state = state;
  leave_fiber(fiber);
  swapcontext(&fiber.context, &scheduler.context);
  arrive_in_fiber(fiber.sanitizer_state);
}

void start(Fiber& fiber) {
  if (scheduler.idle_stacks.empty()) {
    fiber.stack = std::make_unique_for_overwrite<char[]>(kStackBytes);
  } else {
    fiber.stack = std::move(scheduler.idle_stacks.back());
    scheduler.idle_stacks.pop_back();
  }
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(fiber.stack.get(), kStackBytes);
#endif
#if defined(__SANITIZE_THREAD__)
  fiber.sanitizer_state = __tsan_create_fiber(0);
#endif
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack.get();
  fiber.context.uc_stack.ss_size = kStackBytes;
  makecontext(&fiber.context, run_thread, 0);
}

void finish([[maybe_unused]] Fiber& fiber) {
#if defined(__SANITIZE_THREAD__)
  __tsan_destroy_fiber(fiber.sanitizer_state);
#endif
  scheduler.idle_stacks.push_back(std::move(fiber.stack));
}

void give_turn(size_t number) {
  Fiber& fiber = scheduler.fibers[number];
  if (fiber.state == State::fresh) start(fiber);
  scheduler.running = &fiber;
  scheduler.number = number;
  thread_index = fiber.index;
  fiber.state = State::ready;
  leave_scheduler(fiber);
  swapcontext(&scheduler.context, &fiber.context);
  arrive_in_scheduler();
  scheduler.running = nullptr;
  if (fiber.state == State::done) finish(fiber);
  if (scheduler.failure) std::rethrow_exception(std::exchange(scheduler.failure, nullptr));
}

/// Gives every thread that can run a turn. False when none could.
bool give_turns() {
  bool any = false;
  const size_t count = scheduler.fibers.size();
  for (size_t i = 0; i < count; ++i) {
    const size_t number = order == ThreadOrder::forward ? i : count - 1 - i;
    const State state = scheduler.fibers[number].state;
    if (state != State::fresh && state != State::ready) continue;
    give_turn(number);
    any = true;
  }
  return any;
}

/// Of the warp whose first thread is `first`: lane `lane` takes part in an exchange of `mask`.
bool is_in_exchange(size_t first, unsigned lane, unsigned mask) {
  const size_t number = first + lane;
  return number < scheduler.fibers.size() && scheduler.fibers[number].state == State::in_exchange &&
         scheduler.fibers[number].mask == mask;
}

bool is_complete(size_t first, unsigned mask) {
  for (unsigned lane = 0; lane < kLanes; ++lane)
    if ((mask >> lane & 1u) && !is_in_exchange(first, lane, mask)) return false;
  return true;
}

void complete(size_t first, unsigned mask) {
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    if (!(mask >> lane & 1u)) continue;
    Fiber& fiber = scheduler.fibers[first + lane];
    fiber.result = scheduler.fibers[first + size_t(fiber.source)].value;
  }
  for (unsigned lane = 0; lane < kLanes; ++lane)
    if (mask >> lane & 1u) scheduler.fibers[first + lane].state = State::ready;
}

bool release_warps() {
  bool any = false;
  for (size_t number = 0; number < scheduler.fibers.size(); ++number) {
    const Fiber& fiber = scheduler.fibers[number];
    const size_t first = number / kLanes * kLanes;
    if (fiber.state != State::in_exchange || !is_complete(first, fiber.mask)) continue;
    complete(first, fiber.mask);
    any = true;
  }
  return any;
}

bool release_block() {
  for (const Fiber& fiber : scheduler.fibers)
    if (fiber.state != State::at_barrier) return false;
  for (Fiber& fiber : scheduler.fibers) fiber.state = State::ready;
  return true;
}

[[noreturn]] void report_stuck() {
  std::string message = "emulator: threads wait for each other for ever:";
  for (size_t i = 0; i < scheduler.fibers.size() && i < 2 * kLanes; ++i) {
    const State state = scheduler.fibers[i].state;
    message.append(" ").append(std::to_string(i));
    message.append(state == State::done         ? " has left,"
                   : state == State::at_barrier ? " at a barrier,"
                                                : " in a shuffle,");
  }
  throw std::logic_error(message);
}

void run_block() {
  std::vector<Fiber>& fibers = scheduler.fibers;
  fibers.clear();
  fibers.resize(size_t(block_size.x) * block_size.y * block_size.z);
  for (size_t i = 0; i < fibers.size(); ++i)
    fibers[i].index = {unsigned(i % block_size.x), unsigned(i / block_size.x % block_size.y),
                       unsigned(i / block_size.x / block_size.y)};
  for (;;) {
    if (give_turns() || release_warps() || release_block()) continue;
    for (const Fiber& fiber : fibers)
      if (fiber.state != State::done) report_stuck();
    return;
  }
}

}  // namespace

void set_thread_order(ThreadOrder new_order) { order = new_order; }

void run_grid(Size3 grid, Size3 block, const std::function<void()>& kernel) {
  scheduler.kernel = &kernel;
  grid_size = grid;
  block_size = block;
  for (block_index.z = 0; block_index.z < grid.z; ++block_index.z)
    for (block_index.y = 0; block_index.y < grid.y; ++block_index.y)
      for (block_index.x = 0; block_index.x < grid.x; ++block_index.x) run_block();
}

void wait_for_block() { yield(State::at_barrier); }

int current_lane() { return int(scheduler.number % kLanes); }

uint64_t exchange_in_warp(unsigned mask, uint64_t value, int source) {
  const int lane = current_lane();
  if (source < 0 || source >= int(kLanes) || !(mask >> lane & 1u) || !(mask >> source & 1u))
    throw std::logic_error("emulator: a shuffle's mask must name the lane that calls and the one it reads (lane " +
                           std::to_string(lane) + " reads " + std::to_string(source) + ")");
  Fiber& fiber = *scheduler.running;
  fiber.mask = mask;
  fiber.value = value;
  fiber.source = source;
  yield(State::in_exchange);
  return fiber.result;
}

}  // namespace plumb::emulator
