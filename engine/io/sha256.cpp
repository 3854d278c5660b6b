#include "engine/io/sha256.h"

#include <algorithm>
#include <cstring>

#include "engine/io/sha256_blocks.h"

namespace plumb {
Sha256& Sha256::update(const void* data, size_t size) {
  const uint8_t* bytes = static_cast<const uint8_t*>(data);
  while (size > 0) {
    const size_t filled = size_ % 64;
    if (filled == 0 && size >= 64) {  // straight from the input
      const size_t whole = size / 64;
      sha256_blocks(state_.data(), bytes, whole);
      bytes += 64 * whole, size -= 64 * whole, size_ += 64 * whole;
      continue;
    }
    const size_t count = std::min(size, 64 - filled);
    std::memcpy(pending_.data() + filled, bytes, count);
    bytes += count, size -= count, size_ += count;
    if (size_ % 64 == 0) sha256_blocks(state_.data(), pending_.data(), 1);
  }
  return *this;
}

std::string Sha256::finish_hex() {
  const uint64_t bits = size_ * 8;
  static constexpr uint8_t kPadding[64] = {0x80};
  update(kPadding, 1 + (119 - size_ % 64) % 64);  // up to 56 bytes modulo 64
  uint8_t length[8];
  for (int i = 0; i < 8; ++i) length[i] = uint8_t(bits >> (56 - 8 * i));
  update(length, 8);
  std::string hex;
  for (const uint32_t word : state_)
    for (int shift = 28; shift >= 0; shift -= 4) hex += "0123456789abcdef"[(word >> shift) & 15];
  return hex;
}

}  // namespace plumb
