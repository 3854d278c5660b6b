#pragma once

#include <type_traits>

#include "engine/isa/kernels.h"
#include "engine/ops/attention/attention_rows.h"
#include "engine/ops/loss/squared_error_rows.h"
#include "engine/ops/norm/group_norm_rows.h"
#include "engine/ops/norm/layer_norm_rows.h"
#include "engine/ops/norm/rms_norm_rows.h"
#include "engine/ops/reduce/fold_rows.h"
#include "engine/ops/softmax/softmax_rows.h"

// Internal: the row functions for an accumulation type: this processor's for float, the portable ones otherwise.

namespace plumb {

using namespace PLUMB_ISA;  // the templates of the *_rows.h headers, for types that have no variants

template <class A>
const AttentionRows<A>& attention_rows() {
  if constexpr (std::is_same_v<A, float>) {
    return kernels().reduce.attention;
  } else {
    static constexpr AttentionRows<A> table = make_attention_rows<A>();
    return table;
  }
}

template <class A>
const FoldRows<A>& fold_rows() {
  if constexpr (std::is_same_v<A, float>) {
    return kernels().reduce.fold;
  } else {
    static constexpr FoldRows<A> table = make_fold_rows<A>();
    return table;
  }
}

template <class A>
const SoftmaxRows<A>& softmax_rows() {
  if constexpr (std::is_same_v<A, float>) {
    return kernels().reduce.softmax;
  } else {
    static constexpr SoftmaxRows<A> table = make_softmax_rows<A>();
    return table;
  }
}

template <class A>
const LayerNormRows<A>& layer_norm_rows() {
  if constexpr (std::is_same_v<A, float>) {
    return kernels().reduce.layer_norm;
  } else {
    static constexpr LayerNormRows<A> table = make_layer_norm_rows<A>();
    return table;
  }
}

template <class A>
const LayerNormRows<A>& rms_norm_rows() {
  if constexpr (std::is_same_v<A, float>) {
    return kernels().reduce.rms_norm;
  } else {
    static constexpr LayerNormRows<A> table = make_rms_norm_rows<A>();
    return table;
  }
}

template <class A>
const GroupNormRows<A>& group_norm_rows() {
  if constexpr (std::is_same_v<A, float>) {
    return kernels().reduce.group_norm;
  } else {
    static constexpr GroupNormRows<A> table = make_group_norm_rows<A>();
    return table;
  }
}

template <class A>
const SquaredErrorRows<A>& squared_error_rows() {
  if constexpr (std::is_same_v<A, float>) {
    return kernels().reduce.squared_error;
  } else {
    static constexpr SquaredErrorRows<A> table = make_squared_error_rows<A>();
    return table;
  }
}

}  // namespace plumb
