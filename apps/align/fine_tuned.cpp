#include "apps/align/fine_tuned.h"

#include "apps/align/adapter_view.h"
#include "nn/lora/merge.h"

namespace plumb {
namespace {

ParameterList of_adapter(Module& network, std::string_view name) {
  const std::string part = ".adapters." + std::string(name) + ".";
  ParameterList found;
  for (const NamedParameter& named : parameters(network, Include::adapters))
    if (named.name.find(part) != std::string::npos) found.push_back(named);
  return found;
}

}  // namespace

Variable AdapterView::predict(const Variable& x, const Tensor& t, const Condition& condition) {
  const AdapterScope scope(network_, adapter_);
  return network_.predict(x, t, condition);
}

void place(Denoiser& network, const FineTuneOptions& options) {
  to_device(network, options.device);
  to_dtype(network, options.dtype);
}

FineTuned::FineTuned(std::unique_ptr<Denoiser> network, const FineTuneOptions& options, const RandomKey& key)
    : network_(std::move(network)), use_lora_(options.use_lora) {
  place(*network_, options);
  if (!use_lora_) {
    student_ = clone(*network_);
    set_requires_grad(*network_, false);
    to_dtype(*network_, options.dtype, /*keep_master=*/false);  // a frozen reference needs none
    initial_ = network_.get();
    return;
  }
  Generator generator(key.fork("adapter").philox_key());
  add_adapters(*network_, kStudentAdapter, generator, options.adapter, options.targets);
  if (options.moving_reference) {
    add_adapters(*network_, kReferenceAdapter, generator, options.adapter, options.targets);
    moving_ = std::make_unique<AdapterView>(*network_, kReferenceAdapter);
  }
  train_adapter_only(*network_, kStudentAdapter);
  student_ = std::make_unique<AdapterView>(*network_, kStudentAdapter);
  view_ = std::make_unique<AdapterView>(*network_, "none");
  initial_ = view_.get();
}

ParameterList FineTuned::trained() { return trainable(parameters(kept())); }

MovingReference FineTuned::moving() {
  if (!moving_) return {};
  return {.model = moving_.get(),
          .source = of_adapter(*network_, kStudentAdapter),
          .destination = of_adapter(*network_, kReferenceAdapter)};
}

std::unique_ptr<Denoiser> FineTuned::take(bool merged) {
  to_device(kept(), kCpu);
  to_dtype(kept(), DType::f32);
  if (!use_lora_) return std::move(student_);
  if (merged) merge_adapter(*network_, kStudentAdapter);
  return std::move(network_);
}

}  // namespace plumb
