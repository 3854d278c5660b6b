#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace plumb {

/// SHA-256 (FIPS 180-4), fed piece by piece.
class Sha256 {
 public:
  Sha256& update(const void* data, size_t size);
  Sha256& update(std::string_view bytes) { return update(bytes.data(), bytes.size()); }
  /// The hash of everything fed so far, as 64 lower-case hexadecimal digits. Call once.
  std::string finish_hex();

 private:
  std::array<uint32_t, 8> state_{0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                                 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};
  std::array<uint8_t, 64> pending_{};
  uint64_t size_ = 0;  // bytes fed; size_ % 64 of them are pending
};

inline std::string sha256_hex(std::string_view bytes) { return Sha256().update(bytes).finish_hex(); }

}  // namespace plumb
