#include "apps/common/signals.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "engine/error.h"
#include "engine/require.h"

namespace plumb {
namespace {

// A handler may touch nothing but lock-free atomics.
std::atomic<int> caught{0};
std::atomic<bool> installed{false};
static_assert(std::atomic<int>::is_always_lock_free);

struct sigaction before_interrupt, before_terminate;

constexpr int kSignalExitBase = 128;

void handle(int signal) {
  int none = 0;
  if (!caught.compare_exchange_strong(none, signal)) _exit(kSignalExitBase + signal);
}

}  // namespace

StopOnSignal::StopOnSignal() {
  require<ValueError>(!installed.exchange(true), "signals: one StopOnSignal at a time (another is alive)");
  caught = 0;
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;  // a read or write under way goes on
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &before_interrupt);
  sigaction(SIGTERM, &action, &before_terminate);
}

StopOnSignal::~StopOnSignal() {
  sigaction(SIGINT, &before_interrupt, nullptr);
  sigaction(SIGTERM, &before_terminate, nullptr);
  installed = false;
}

bool StopOnSignal::requested() const { return caught != 0; }

int StopOnSignal::exit_code() const {
  int signal = caught;
  return signal == 0 ? 0 : kSignalExitBase + signal;
}

}  // namespace plumb
