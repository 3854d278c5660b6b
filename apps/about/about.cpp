#include "apps/about/about.h"

#include <fmt/format.h>

#include <cstdio>
#include <thread>

#include "engine/blas.h"
#include "engine/config.h"
#include "engine/isa/kernels.h"

namespace plumb {

std::string version_line() {
  return fmt::format("plumb {} (kernels {}, BLAS core {})\n", kVersion, kernels().name, blas_core_name());
}

int run_about(const Arguments& arguments) {
  // 1. Settings with their defaults. 2. The table. 3. parse(), which returns false after --help. 4. The work.
  bool json = false;
  Flags flags("about", "what this build and this machine are");
  flags.add("--json", json, "as one JSON object").transient();
  flags.example("plumb about --json");
  if (!flags.parse(arguments)) return kExitDone;

  unsigned cores = std::thread::hardware_concurrency();
  const char* format =
      json
          ? "{{\"version\": \"{}\", \"compiler\": \"{}\", \"cores\": {}, \"kernels\": \"{}\", \"blas_core\": \"{}\"}}\n"
          : "version    {}\ncompiler   {}\ncores      {}\nkernels    {}\nBLAS core  {}\n";
  std::fputs(fmt::format(fmt::runtime(format), kVersion, __VERSION__, cores, kernels().name, blas_core_name()).c_str(),
             stdout);
  return kExitDone;
}

}  // namespace plumb
