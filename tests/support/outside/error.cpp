// An error of the library, caught by its base class.
// prints: empty: sizes must not be negative; [2, -1]
#include <engine/error.h>
#include <engine/tensor.h>

#include <cstdio>

int main() try { plumb::empty({2, -1}); } catch (const plumb::Error& error) {
  std::puts(error.what());
}
