#include "nn/unet/unet_blocks.h"

#include <string>

#include "autograd/ops/layout.h"

namespace plumb {
namespace {

std::string numbered(const char* name, size_t i) { return std::string(name) + "." + std::to_string(i); }

void visit_level(ModuleVisitor& visitor, UNetLevel& level, const char* resamplers) {
  visitor("attentions", level.attentions);
  visitor("resnets", level.resnets);
  visitor(resamplers, level.resamplers);
}

/// The i-th residual block and what follows it.
Variable run_layer(UNetLevel& level, size_t i, const Variable& x, const BlockInputs& inputs) {
  const Variable y = level.resnets[i]->forward(x, inputs.of(numbered("resnets", i)));
  if (i >= level.attentions.size() || !level.attentions[i]) return y;
  return level.attentions[i]->forward(y, inputs.of(numbered("attentions", i)));
}

}  // namespace

Variable UNetDownBlock::forward(Variable x, const BlockInputs& inputs, std::vector<Variable>& skips) {
  for (size_t i = 0; i < level_.resnets.size(); ++i) skips.push_back(x = run_layer(level_, i, x, inputs));
  for (auto& downsampler : level_.resamplers)
    skips.push_back(x = downsampler->forward(x, inputs.of(numbered("downsamplers", 0))));
  return x;
}

void UNetDownBlock::visit(ModuleVisitor& visitor) { visit_level(visitor, level_, "downsamplers"); }

Variable UNetUpBlock::forward(Variable x, const BlockInputs& inputs, std::vector<Variable>& skips) {
  for (size_t i = 0; i < level_.resnets.size(); ++i) {
    const Variable joined = cat({x, skips.back()}, 1);
    skips.pop_back();
    x = run_layer(level_, i, joined, inputs);
  }
  for (auto& upsampler : level_.resamplers) {
    BlockInputs given = inputs.of(numbered("upsamplers", 0));
    given.upsampled = {skips.back().size(2), skips.back().size(3)};
    x = upsampler->forward(x, given);
  }
  return x;
}

void UNetUpBlock::visit(ModuleVisitor& visitor) { visit_level(visitor, level_, "upsamplers"); }

Variable UNetMidBlock::forward(Variable x, const BlockInputs& inputs) {
  x = level_.resnets[0]->forward(x, inputs.of(numbered("resnets", 0)));
  for (size_t i = 0; i < level_.attentions.size(); ++i) {
    if (level_.attentions[i]) x = level_.attentions[i]->forward(x, inputs.of(numbered("attentions", i)));
    x = level_.resnets[i + 1]->forward(x, inputs.of(numbered("resnets", i + 1)));
  }
  return x;
}

void UNetMidBlock::visit(ModuleVisitor& visitor) { visit_level(visitor, level_, ""); }

}  // namespace plumb
