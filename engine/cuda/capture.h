#pragma once

namespace plumb {

/// Whether this thread is recording a CudaGraph (graph.h).
bool is_capturing();
/// Throws Error "OP: a captured step must not WHAT; …" while this thread records one: for what needs the CPU and would
/// not happen again in a replay.
void refuse_in_capture(const char* op, const char* what);

/// This thread records while one lives.
class CaptureScope {
 public:
  CaptureScope();
  ~CaptureScope();
  CaptureScope(const CaptureScope&) = delete;
  CaptureScope& operator=(const CaptureScope&) = delete;
};

}  // namespace plumb
