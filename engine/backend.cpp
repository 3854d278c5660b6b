#include "engine/backend.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

std::atomic<bool> deterministic{false};

// Sorted; one line per op. Empty: every op has a kernel.
constexpr std::array<std::string_view, 0> kCpuOnly = {};
static_assert(std::is_sorted(kCpuOnly.begin(), kCpuOnly.end()));

}  // namespace

void set_deterministic(bool value) { deterministic.store(value, std::memory_order_relaxed); }
bool is_deterministic() { return deterministic.load(std::memory_order_relaxed); }

void cpu_only(const char* op, const Cuda& cuda) {
  raise<DeviceError>("{}: has no CUDA kernel yet, move its inputs to the cpu (they are on cuda:{})", op, cuda.device);
}

std::span<const std::string_view> cpu_only_ops() { return kCpuOnly; }

}  // namespace plumb
