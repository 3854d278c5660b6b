#pragma once

#include "tests/support/cuda_emulator/emulator.h"

namespace plumb::test {

/// Calls `check` with the emulator's threads taking turns in either order: a kernel that misses a barrier gives another
/// result in one of them.
template <class F>
void in_both_orders(F&& check) {
  for (const auto order : {emulator::ThreadOrder::forward, emulator::ThreadOrder::backward}) {
    emulator::set_thread_order(order);
    check();
  }
  emulator::set_thread_order(emulator::ThreadOrder::forward);
}

}  // namespace plumb::test
