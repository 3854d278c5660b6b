#include "nn/layers/sequential.h"

namespace plumb {

Variable Sequential::forward(const Variable& x) const {
  Variable y = x;
  for (const auto& stage : stages_) y = stage->forward(y);
  return y;
}

void Sequential::visit(ModuleVisitor& visitor) {
  for (size_t i = 0; i < stages_.size(); ++i) visitor(std::to_string(i), *stages_[i]);
}

}  // namespace plumb
