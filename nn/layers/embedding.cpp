#include "nn/layers/embedding.h"

#include "autograd/ops/index.h"

namespace plumb {

Embedding::Embedding(int64_t count, int64_t features, Init init, DType dtype) {
  Tensor weight = init.allocate({count, features}, dtype);
  init.normal(weight, 0, 1);
  weight_ = Parameter(std::move(weight));
}

Variable Embedding::forward(const Tensor& index) const { return embedding(index, weight_.variable()); }

void Embedding::visit(ModuleVisitor& visitor) { visitor("weight", weight_); }

}  // namespace plumb
