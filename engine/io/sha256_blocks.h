#pragma once

#include <cstddef>
#include <cstdint>

namespace plumb {

/// Internal to engine/io: SHA-256's compression function on `count` blocks of 64 bytes; `state` is its eight words.
/// Takes the processor's own instructions where it has them, six to eight times as fast.
void sha256_blocks(uint32_t* state, const uint8_t* bytes, size_t count);
/// On any processor.
void sha256_blocks_portable(uint32_t* state, const uint8_t* bytes, size_t count);

}  // namespace plumb
