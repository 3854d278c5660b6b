#include "apps/common/run_guarded.h"

#include <doctest/doctest.h>

#include <new>

#include "apps/common/exit_codes.h"
#include "engine/io/system_error.h"

using namespace plumb;

namespace {

template <class E>
int code_of(const E& exception) {
  return run_guarded([&]() -> int { throw exception; });
}

}  // namespace

TEST_CASE("run_guarded: maps each class of error to its exit code") {
  CHECK(run_guarded([] { return 143; }) == 143);
  CHECK(code_of(UsageError("u")) == 2);
  CHECK(code_of(ShapeError("s")) == 2);
  CHECK(code_of(DTypeError("d")) == 2);
  CHECK(code_of(ValueError("v")) == 2);
  CHECK(code_of(IndexError("i")) == 2);
  CHECK(code_of(IoError("i")) == 2);
  CHECK(code_of(DeviceError("d")) == 2);
  CHECK(code_of(NumericError("n")) == 3);
  CHECK(code_of(UnhealthyError("n")) == 3);
  CHECK(code_of(SystemError("full")) == 1);
  CHECK(code_of(MemoryError("m")) == 1);
  CHECK(code_of(CudaError("c")) == 1);
  CHECK(code_of(std::bad_alloc()) == 1);
  CHECK(code_of(std::runtime_error("r")) == 1);
  CHECK(code_of(5) == 1);
}

TEST_CASE("run_guarded: a message is one line") {
  CHECK(one_line("a\n\nb\tc\r\n") == "a b c");
  CHECK(one_line("") == "");
}
