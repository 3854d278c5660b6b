#include "apps/align/models.h"

#include <algorithm>

#include "apps/common/exit_codes.h"
#include "engine/require.h"
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

Gaussians2d world_of(Gaussians2dOptions world, PointDenoiser& network) {
  world.classes = std::max<int64_t>(network.options().classes, 2);
  return Gaussians2d(world);
}

}  // namespace

Variable AdapterView::predict(const Variable& x, const Tensor& t, const Condition& condition) {
  const AdapterScope scope(network_, adapter_);
  return network_.predict(x, t, condition);
}

AlignModels::AlignModels(PointModel model, const AlignModelOptions& options, const PreferencePairs& pairs,
                         const RandomKey& key)
    : schedule_options_(model.schedule),
      schedule_(model.schedule),
      prediction_(model.prediction),
      network_(std::move(model.network)),
      use_lora_(options.use_lora),
      world_(world_of(options.world, *network_)) {
  const PointDenoiserOptions& network = network_->options();
  require<UsageError>(options.policy.name != "oracle" ||
                          (network.dimensions == 2 && network.classes >= 2 && prediction_ == Prediction::epsilon),
                      "policy oracle: knows the scores of the 2D world alone (model of {} dimensions, {} classes, "
                      "predicting {}); choose another --policy",
                      network.dimensions, network.classes, name_of(prediction_));
  to_device(*network_, options.device);
  to_dtype(*network_, options.dtype);
  PolicyOptions policy = options.policy;
  policy.data_driven.prediction = prediction_;
  // Before there are adapters: a data-driven pair clones the network.
  policy_ = make_policy(policy, {*network_, world_, schedule_, pairs, key.fork("data-driven pair")});
  if (!use_lora_) {
    student_ = clone(*network_);
    set_requires_grad(*network_, false);
    to_dtype(*network_, options.dtype, /*keep_master=*/false);  // a frozen reference needs none
    initial_ = network_.get();
    return;
  }
  Generator generator(key.fork("adapter").philox_key());
  add_adapters(*network_, kStudentAdapter, generator, options.adapter);
  if (options.moving_reference) {
    add_adapters(*network_, kReferenceAdapter, generator, options.adapter);
    moving_ = std::make_unique<AdapterView>(*network_, kReferenceAdapter);
  }
  train_adapter_only(*network_, kStudentAdapter);
  student_ = std::make_unique<AdapterView>(*network_, kStudentAdapter);
  view_ = std::make_unique<AdapterView>(*network_, "none");
  initial_ = view_.get();
}

ParameterList AlignModels::trained() { return trainable(parameters(kept())); }

MovingReference AlignModels::moving() {
  if (!moving_) return {};
  return {.model = moving_.get(),
          .source = of_adapter(*network_, kStudentAdapter),
          .destination = of_adapter(*network_, kReferenceAdapter)};
}

PointModel AlignModels::take_model(bool merged) {
  to_device(kept(), kCpu);
  to_dtype(kept(), DType::f32);
  if (!use_lora_)
    return {std::unique_ptr<PointDenoiser>(static_cast<PointDenoiser*>(student_.release())), schedule_options_,
            prediction_};
  if (merged) merge_adapter(*network_, kStudentAdapter);
  return {std::move(network_), schedule_options_, prediction_};
}

}  // namespace plumb
