#include "engine/random/step_scope.h"

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

thread_local const Tensor* innermost = nullptr;

}  // namespace

RandomStepScope::RandomStepScope(const Tensor& step) : step_(step), previous_(innermost) {
  require<DTypeError>(step.dtype() == DType::i64, "RandomStepScope: the step must be i64; {}", step);
  require<ShapeError>(step.numel() == 1, "RandomStepScope: the step must have one element; {}", step);
  innermost = &step_;
}

RandomStepScope::~RandomStepScope() { innermost = previous_; }

const int64_t* random_step_on(Device device) {
  return innermost && innermost->device() == device ? innermost->data<int64_t>() : nullptr;
}

}  // namespace plumb
