// Pieces lie in the range first fit, apart by a gap that belongs to nobody. Huge pages make opening and closing the
// range cheap: 4 us a pair for 2 MiB, 42 for 256 (88 and 31,000 with small ones).

#include "tests/support/cuda_emulator/device_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

namespace plumb::emulator {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
constexpr size_t kAlignment = 512, kHugePage = size_t(2) << 20;

struct Memory {
  std::recursive_mutex mutex;
  std::map<uintptr_t, size_t> pieces;  // by address
  size_t in_use = 0, limit = kDeviceBytes;
  uintptr_t begin = 0, end = 0;  // of the range; end: of what was ever handed out, in whole huge pages
  int open = 0;
};

// Never destroyed: tensors in static storage outlive everything.
Memory& memory() {
  static Memory& instance = *new Memory;
  return instance;
}

size_t round_up(size_t value, size_t to) { return (value + to - 1) / to * to; }

void protect(uintptr_t begin, uintptr_t end, int protection) {
  if (begin < end && mprotect(reinterpret_cast<void*>(begin), end - begin, protection) != 0) std::abort();
}

bool reserve(Memory& m) {
  if (m.begin != 0) return true;
  void* range = mmap(nullptr, kDeviceBytes + kHugePage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) return false;
  m.begin = m.end = round_up(reinterpret_cast<uintptr_t>(range), kHugePage);
  madvise(reinterpret_cast<void*>(m.begin), kDeviceBytes, MADV_HUGEPAGE);
  return true;
}

/// The first gap that holds `bytes`; 0 when there is none.
uintptr_t find_gap(const Memory& m, size_t bytes) {
  uintptr_t at = m.begin;
  for (const auto& [begin, size] : m.pieces) {
    if (begin - at >= bytes) return at;
    at = begin + round_up(size, kAlignment);
  }
  return m.begin + kDeviceBytes - at >= bytes ? at : 0;
}

uintptr_t take_from_range(Memory& m, size_t bytes) {
  const uintptr_t at = reserve(m) ? find_gap(m, bytes) : 0;
  if (at == 0) return 0;
  const uintptr_t end = round_up(at + bytes, kHugePage);
  if (end > m.end) {
    protect(m.end, end, m.open > 0 ? PROT_READ | PROT_WRITE : PROT_NONE);
    m.end = end;
  }
  return at;
}

}  // namespace

void* take_device_memory(size_t bytes) {
  Memory& m = memory();
  const std::lock_guard lock(m.mutex);
  if (bytes == 0 || bytes > m.limit || m.in_use + bytes > m.limit) return nullptr;
  const uintptr_t at = kSanitized
                           ? reinterpret_cast<uintptr_t>(std::aligned_alloc(kAlignment, round_up(bytes, kAlignment)))
                           : take_from_range(m, bytes);
  if (at == 0) return nullptr;
  m.pieces.emplace(at, bytes);
  m.in_use += bytes;
  void* taken = reinterpret_cast<void*>(at);
  const DeviceAccess access;
  std::memset(taken, 0xFF, bytes);
  return taken;
}

bool give_device_memory(void* given) {
  Memory& m = memory();
  const std::lock_guard lock(m.mutex);
  const auto piece = m.pieces.find(reinterpret_cast<uintptr_t>(given));
  if (piece == m.pieces.end()) return false;
  m.in_use -= piece->second;
  m.pieces.erase(piece);
  if (kSanitized) std::free(given);
  return true;
}

bool is_device_memory(const void* address, size_t bytes) {
  Memory& m = memory();
  const std::lock_guard lock(m.mutex);
  const uintptr_t at = reinterpret_cast<uintptr_t>(address);
  auto piece = m.pieces.upper_bound(at);
  if (piece == m.pieces.begin()) return false;
  --piece;
  return at + bytes <= piece->first + piece->second;
}

size_t device_bytes_in_use() {
  const std::lock_guard lock(memory().mutex);
  return memory().in_use;
}

void set_device_bytes(size_t bytes) {
  const std::lock_guard lock(memory().mutex);
  memory().limit = std::min(bytes, kDeviceBytes);
}

size_t device_bytes() {
  const std::lock_guard lock(memory().mutex);
  return memory().limit;
}

DeviceAccess::DeviceAccess() {
  Memory& m = memory();
  m.mutex.lock();
  if (m.open++ == 0 && !kSanitized) protect(m.begin, m.end, PROT_READ | PROT_WRITE);
}

DeviceAccess::~DeviceAccess() {
  Memory& m = memory();
  if (--m.open == 0 && !kSanitized) protect(m.begin, m.end, PROT_NONE);
  m.mutex.unlock();
}

}  // namespace plumb::emulator
