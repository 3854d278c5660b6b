#pragma once

namespace plumb::test {

/// Whether the tests are built with the address or the thread sanitizer, where everything takes ten times as long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace plumb::test
