#pragma once

#include "align/objective.h"
#include "engine/io/json.h"
#include "engine/io/safetensors.h"

namespace plumb {

/// One case of the verb `objective`: pred, target and optional ref, timesteps, alphas_cumprod, labels, pred_roll,
/// ref_roll, logit_scale in; loss, grad_pred and, where the objective has them, logit and implicit_accuracy out.
/// settings: the objective's, and T (timesteps, 1000). f32 or f64. Throws ValueError, ShapeError, DTypeError for what
/// does not fit.
TensorMap run_objective_case(std::string_view name, ObjectiveSettings settings, const TensorMap& given);

/// The same for an entry {"objective", "set"} of a cases.json.
TensorMap run_objective_entry(const Json& entry, const TensorMap& given);

}  // namespace plumb
