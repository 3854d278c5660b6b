#include "diffusion/condition.h"

#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

template <class F>
Condition map(const Condition& condition, F&& f) {
  Condition result;
  if (condition.labels.defined()) result.labels = f(condition.labels);
  if (condition.context.defined()) result.context = f(condition.context);
  if (condition.pooled.defined()) result.pooled = f(condition.pooled);
  if (condition.time_ids.defined()) result.time_ids = f(condition.time_ids);
  if (condition.tokens.defined()) result.tokens = f(condition.tokens);
  return result;
}

Tensor cat_rows(const char* member, const Tensor& first, const Tensor& second) {
  require<ValueError>(first.defined() == second.defined(),
                      "condition: {} is present in one part and absent in the other", member);
  if (!first.defined()) return {};
  return plumb::cat({first, second}, 0);
}

}  // namespace

Condition Condition::rows(int64_t begin, int64_t end) const {
  return map(*this, [&](const Tensor& member) { return slice(member, 0, begin, end); });
}

Condition Condition::to(DType dtype) const {
  return map(*this, [&](const Tensor& member) { return is_floating(member.dtype()) ? member.to(dtype) : member; });
}

Condition Condition::to(Device device) const {
  return map(*this, [&](const Tensor& member) { return member.to(device); });
}

Condition Condition::cat(const Condition& first, const Condition& second) {
  return {cat_rows("labels", first.labels, second.labels), cat_rows("context", first.context, second.context),
          cat_rows("pooled", first.pooled, second.pooled), cat_rows("time_ids", first.time_ids, second.time_ids),
          cat_rows("tokens", first.tokens, second.tokens)};
}

}  // namespace plumb
