#include "engine/cuda/capture.h"

#include "engine/require.h"

namespace plumb {
namespace {

thread_local bool capturing = false;

}  // namespace

bool is_capturing() { return capturing; }

void refuse_in_capture(const char* op, const char* what) {
  require<Error>(!capturing, "{}: a captured step must not {}; do it before the capture or between replays", op, what);
}

CaptureScope::CaptureScope() {
  refuse_in_capture("CudaGraph", "begin another capture");
  capturing = true;
}

CaptureScope::~CaptureScope() { capturing = false; }

}  // namespace plumb
