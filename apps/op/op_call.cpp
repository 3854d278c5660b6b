#include "apps/op/op_call.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {

OpCall::OpCall(std::string op, std::vector<Variable> inputs, const Json* attributes)
    : op_(std::move(op)), inputs_(std::move(inputs)), attributes_(attributes) {
  if (attributes_ && attributes_->is_null()) attributes_ = nullptr;
  require<ValueError>(!attributes_ || attributes_->is_object(), "{}: attributes must be a JSON object", op_);
}

const Variable& OpCall::input(int i) const {
  require<ValueError>(i < count() && inputs_[size_t(i)].defined(), "{}: input {} is missing ({} given)", op_, i,
                      count());
  return inputs_[size_t(i)];
}

Variable OpCall::optional_input(int i) const { return i < count() ? inputs_[size_t(i)] : Variable(); }

bool OpCall::has(std::string_view key) const {
  const Json* value = attributes_ ? attributes_->find(key) : nullptr;
  return value && !value->is_null();
}

const Json* OpCall::find(std::string_view key, bool needed) {
  known_.emplace_back(key);
  if (has(key)) return attributes_->find(key);
  require<ValueError>(!needed, "{}: attribute {} is missing", op_, key);
  return nullptr;
}

int64_t OpCall::integer(std::string_view key, std::optional<int64_t> fallback) {
  const Json* value = find(key, !fallback);
  return value ? value->as_integer() : *fallback;
}

double OpCall::number(std::string_view key, std::optional<double> fallback) {
  const Json* value = find(key, !fallback);
  return value ? value->as_number() : *fallback;
}

bool OpCall::flag(std::string_view key, bool fallback) {
  const Json* value = find(key, false);
  return value ? value->as_bool() : fallback;
}

std::string OpCall::text(std::string_view key, std::string_view fallback) {
  const Json* value = find(key, false);
  return value ? value->as_string() : std::string(fallback);
}

Dims OpCall::dims(std::string_view key, std::optional<Dims> fallback) {
  const Json* value = find(key, !fallback);
  if (!value) return *fallback;
  if (!value->is_array()) return {value->as_integer()};
  Dims dims;
  for (const Json& element : value->as_array()) dims.push_back(element.as_integer());
  return dims;
}

void OpCall::finish() const {
  if (!attributes_) return;
  for (const JsonMember& member : attributes_->as_object())
    require<ValueError>(std::find(known_.begin(), known_.end(), member.key) != known_.end(),
                        "{}: unknown attribute {}; known: {}", op_, member.key, fmt::join(known_, ", "));
}

}  // namespace plumb
