#include "align/merge_outputs.h"

#include "engine/ops.h"

namespace plumb {
namespace {

std::vector<Tensor> collect(const std::vector<ObjectiveOutput>& parts, Tensor ObjectiveOutput::*member) {
  std::vector<Tensor> tensors;
  for (const ObjectiveOutput& part : parts) tensors.push_back(part.*member);
  return tensors;
}

/// Mean of values [] weighted by `weights`, in the values' type.
Tensor weighted_mean(const std::vector<Tensor>& values, const std::vector<double>& weights) {
  if (!values.front().defined()) return {};
  Tensor total;
  double weight = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const Tensor term = values[i] * weights[i];
    total = total.defined() ? total + term : term;
    weight += weights[i];
  }
  return total * (1 / weight);
}

}  // namespace

Tensor cat_halves(const std::vector<Tensor>& parts, bool halves) {
  if (!parts.front().defined()) return {};
  if (!halves) return cat(parts, 0);
  std::vector<Tensor> rows;
  for (const Tensor& part : parts) rows.push_back(slice(part, 0, 0, part.size(0) / 2));
  for (const Tensor& part : parts) rows.push_back(slice(part, 0, part.size(0) / 2, part.size(0)));
  return cat(rows, 0);
}

ObjectiveOutput merge_outputs(const std::vector<ObjectiveOutput>& parts) {
  std::vector<double> rows;
  for (const ObjectiveOutput& part : parts) rows.push_back(double(part.error.numel()));
  const ObjectiveOutput& first = parts.front();
  // SFT and DSPO-E have winners only and no logit; KTO's logits are one a sample, the others' one a pair.
  const bool halves = first.logit.defined();
  const bool logit_halves = halves && first.logit.numel() == first.error.numel();
  std::vector<Tensor> losses;
  for (const ObjectiveOutput& part : parts) losses.push_back(part.loss.value());
  return {.loss = weighted_mean(losses, rows),
          .logit = cat_halves(collect(parts, &ObjectiveOutput::logit), logit_halves),
          .implicit_accuracy = weighted_mean(collect(parts, &ObjectiveOutput::implicit_accuracy), rows),
          .error = cat_halves(collect(parts, &ObjectiveOutput::error), halves),
          .ref_error = cat_halves(collect(parts, &ObjectiveOutput::ref_error), halves),
          .gain = cat_halves(collect(parts, &ObjectiveOutput::gain), halves),
          .offset = weighted_mean(collect(parts, &ObjectiveOutput::offset), rows),
          .labels = cat_halves(collect(parts, &ObjectiveOutput::labels), halves),
          .weight = weighted_mean(collect(parts, &ObjectiveOutput::weight), rows)};
}

}  // namespace plumb
