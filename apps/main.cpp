#include <cstdio>

#include "apps/common/run_guarded.h"
#include "apps/program.h"
#include "engine/parallel.h"

int main(int argc, char** argv) {
  plumb::flush_denormals();
  int code = plumb::run_guarded([&] { return plumb::run_program({argv + 1, argv + argc}, plumb::verbs()); });
  // A result that did not reach its reader (full disk, closed pipe) is no success.
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
    std::fputs("plumb: error: standard output cannot be written (stdout); check the disk or the pipe\n", stderr);
    if (code == plumb::kExitDone) code = plumb::kExitFailure;
  }
  return code;
}
