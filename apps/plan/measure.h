#pragma once

#include <optional>

#include "apps/align/settings.h"

namespace plumb::plan {

/// Bytes of what a fine-tuning run holds between steps. Weights, gradients and moments are f32.
struct Memory {
  int64_t parameters = 0, trained = 0;  ///< counts, not bytes
  int64_t weights = 0;                  ///< of the student, adapters included
  int64_t gradients = 0;
  int64_t optimizer = 0;  ///< its state
  int64_t average = 0;    ///< of the weights, if wanted
  int64_t initial = 0;    ///< the frozen copy; with LoRA the network itself, adapters off: 0
  int64_t moving = 0;     ///< of a reference update: a third set, with LoRA the adapters alone

  int64_t total() const { return weights + gradients + optimizer + average + initial + moving; }
};

struct MemoryOptions {
  int64_t parameters = 0;
  int64_t adapter_parameters = 0;  ///< 0: full fine-tuning
  bool average = false;
  bool moving = false;
  std::optional<int64_t> optimizer = {};  ///< bytes of its state; both moments of AdamW unless given
};
Memory memory_of(const MemoryOptions& options);

/// One step on random data, as it is.
struct MeasuredStep {
  int64_t peak_bytes = 0;  ///< most in use by tensors during the second step, models and optimiser included
  double seconds = 0;      ///< of the fastest of three
  int64_t trained = 0;     ///< parameters that are trained
};

/// Runs three steps of `plumb align` with these settings on random pairs; `settings` must be resolved.
MeasuredStep measure_step(const AlignSettings& settings, PointModel model);

}  // namespace plumb::plan
