#pragma once

#include "engine/ops/conv/conv2d.h"
#include "engine/require.h"
#include "nn/config_fields.h"

namespace plumb {

/// A setting of a UNet's levels as diffusers' configurations give it: one value for all, or a list with one for each.
template <class T>
class PerLevel {
 public:
  PerLevel(T value) : values_{std::move(value)} {}
  PerLevel(std::vector<T> values) : is_list_(true), values_(std::move(values)) {}
  PerLevel(std::initializer_list<T> values) : is_list_(true), values_(values) {}

  bool is_list() const { return is_list_; }
  /// Whether there is a value for each of so many levels.
  bool covers(size_t levels) const { return !is_list_ || values_.size() == levels; }
  T operator[](size_t level) const { return values_[is_list_ ? level : 0]; }
  const std::vector<T>& values() const { return values_; }

 private:
  bool is_list_ = false;
  std::vector<T> values_;
};

template <class T>
struct ConfigValue<PerLevel<T>> {
  static PerLevel<T> read(const Json& from) {
    if (from.is_array()) return ConfigValue<std::vector<T>>::read(from);
    return PerLevel<T>(ConfigValue<T>::read(from));
  }
  static Json write(const PerLevel<T>& value) {
    return value.is_list() ? ConfigValue<std::vector<T>>::write(value.values()) : ConfigValue<T>::write(value[0]);
  }
};

/// `sample_size`: one number for a square, or [height, width].
template <>
struct ConfigValue<Size2d> {
  static Size2d read(const Json& from) {
    if (!from.is_array()) return {from.as_integer(), from.as_integer()};
    require<ValueError>(from.size() == 2, "expected height and width, got {} numbers", from.size());
    return {from[0].as_integer(), from[1].as_integer()};
  }
  static Json write(Size2d size) {
    if (size.height == size.width) return size.height;
    return Json::Array{size.height, size.width};
  }
};

}  // namespace plumb
