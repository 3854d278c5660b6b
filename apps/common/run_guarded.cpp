#include "apps/common/run_guarded.h"

#include <cstdio>
#include <exception>
#include <new>

#include "apps/common/exit_codes.h"
#include "engine/io/system_error.h"

namespace plumb {
namespace {

int report(const char* message, ExitCode code) {
  std::fprintf(stderr, "plumb: error: %s\n", one_line(message).c_str());
  return code;
}

}  // namespace

std::string one_line(const std::string& message) {
  std::string line;
  for (char c : message) {
    bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (!control) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

int report_exception() {
  try {
    throw;
  } catch (const UsageError& e) {
    return report(e.what(), kExitUsage);
  } catch (const UnhealthyError& e) {
    return report(e.what(), kExitUnhealthy);
  } catch (const NumericError& e) {
    return report(e.what(), kExitUnhealthy);
  } catch (const MemoryError& e) {
    return report(e.what(), kExitFailure);
  } catch (const CudaError& e) {
    return report(e.what(), kExitFailure);
  } catch (const SystemError& e) {
    return report(e.what(), kExitFailure);
  } catch (const Error& e) {
    return report(e.what(), kExitUsage);
  } catch (const std::bad_alloc&) {
    return report("out of memory; use a smaller batch or model", kExitFailure);
  } catch (const std::exception& e) {
    return report(e.what(), kExitFailure);
  } catch (...) {
    return report("an exception of an unknown kind; please report it", kExitFailure);
  }
}

}  // namespace plumb
