#include "apps/common/memory_report.h"

#include <sys/resource.h>

#include "autograd/graph_view.h"
#include "engine/allocator.h"
#include "engine/format.h"

namespace plumb {

int64_t peak_process_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
#if defined(__APPLE__)
  return usage.ru_maxrss;
#else
  return int64_t(usage.ru_maxrss) * 1024;
#endif
}

Json memory_report(Device device) {
  const AllocatorStatistics memory = allocator_statistics(device);
  return Json::object()
      .set("peak_bytes", memory.peak_allocated_bytes)
      .set("reserved_bytes", memory.reserved_bytes)
      .set("peak_process_bytes", peak_process_bytes());
}

std::string memory_line(Device device) {
  return fmt::format("peak memory {} in tensors, {} of the process",
                     human_bytes(allocator_statistics(device).peak_allocated_bytes), human_bytes(peak_process_bytes()));
}

}  // namespace plumb
