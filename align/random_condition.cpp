#include "align/random_condition.h"

#include <array>
#include <cmath>
#include <utility>

#include "engine/format.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr std::array<std::pair<std::string_view, RandomConditionKind>, 4> kNames = {{
    {"none", RandomConditionKind::none},
    {"constant", RandomConditionKind::constant},
    {"exponential", RandomConditionKind::exponential},
    {"sigmoid", RandomConditionKind::sigmoid},
}};

Tensor mixed(const char* member, const Tensor& mask, const Tensor& other, const Tensor& own) {
  require<ValueError>(other.defined() == own.defined(),
                      "random conditions: {} is present in the list or in the batch, but not in both", member);
  if (!own.defined()) return own;
  Shape shape = Dims::filled(own.rank(), 1);
  shape[0] = own.size(0);
  return where(reshape(mask, shape), other, own);
}

Condition mixed(const Tensor& mask, const Condition& other, const Condition& own) {
  return {mixed("labels", mask, other.labels, own.labels), mixed("context", mask, other.context, own.context),
          mixed("pooled", mask, other.pooled, own.pooled), own.time_ids};  // sizes are the picture's
}

int64_t rows_of(const Condition& condition) {
  for (const Tensor* member : {&condition.labels, &condition.context, &condition.pooled, &condition.time_ids})
    if (member->defined()) return member->size(0);
  return 0;
}

/// Which row of the negatives goes with each prompt drawn.
Tensor draw_variants(const Tensor& variants, const Tensor& drawn, const RandomKey& key) {
  const Tensor counts = variants.to(DType::f64);
  const Tensor first = index_select(cumsum(counts, 0) - counts, 0, drawn), count = index_select(counts, 0, drawn);
  const Tensor u = rand(key, {drawn.size(0)}, DType::f64, drawn.device());
  return (first + u * count).to(DType::i64);  // towards zero; u < 1
}

}  // namespace

void RandomConditionOptions::check() const {
  if (!variants.defined()) return;
  const std::vector<int64_t> counts = variants.to_vector<int64_t>();
  int64_t sum = 0;
  for (const int64_t count : counts) {
    require<ValueError>(count >= 1, "random conditions: every prompt must have a c- ({})", count);
    sum += count;
  }
  require<ValueError>(int64_t(counts.size()) == rows_of(prompts) && sum == rows_of(negatives),
                      "random conditions: variants must be one a prompt and add up to the negatives; {} of {} and {} "
                      "of {}",
                      counts.size(), rows_of(prompts), sum, rows_of(negatives));
}

RandomConditionKind random_condition_from_name(std::string_view name) {
  for (const auto& [text, kind] : kNames)
    if (text == name) return kind;
  raise<ValueError>("random conditions: must be none, constant, exponential or sigmoid ({})", name);
}

Tensor random_condition_probability(const RandomConditionOptions& options, int64_t num_train_timesteps) {
  require<ValueError>(options.k >= 0 && options.probability >= 0 && options.probability <= 1,
                      "random conditions: k must not be negative and the probability be in [0, 1] ({}, {})", options.k,
                      options.probability);
  Tensor p = empty({num_train_timesteps}, DType::f64);
  for (int64_t t = 0; t < num_train_timesteps; ++t) {
    const double share = double(t) / double(num_train_timesteps);
    double value = 0;
    if (options.kind == RandomConditionKind::constant) value = options.probability;
    if (options.kind == RandomConditionKind::exponential) value = std::exp(options.k * (share - 1));
    if (options.kind == RandomConditionKind::sigmoid) value = 1 / (1 + std::exp(-options.k * (share - 0.7)));
    p.mutable_data<double>()[t] = value;
  }
  return p;
}

RandomConditions apply_random_conditions(const PreferencePairs& batch, const Tensor& t, const Tensor& probability,
                                         const RandomKey& key, const RandomConditionOptions& options) {
  const int64_t count = batch.size(), listed = rows_of(options.prompts);
  const bool has_negative = rows_of(batch.negative) > 0, c_alone = !has_negative && rows_of(options.negatives) == 0;
  require<ValueError>(listed > 0 && (c_alone || options.variants.defined() || rows_of(options.negatives) == listed),
                      "random conditions: the list must hold prompts and as many negatives ({}, {})", listed,
                      rows_of(options.negatives));
  const Tensor replaced =
      lt(rand(key.fork("replace"), {count}, DType::f64, t.device()), index_select(probability, 0, t));
  const Tensor drawn = randint(key.fork("prompt"), 0, listed, {count}, t.device());
  PreferencePairs pairs = batch;
  // Pairs that keep their prompt and take the noise as target have no use for a c-: any will do.
  require<ValueError>(has_negative || c_alone || options.others_take_noise,
                      "random conditions: pairs that keep their prompts need negatives of their own");
  pairs.condition = mixed(replaced, take(options.prompts, drawn), batch.condition);
  if (c_alone) return {std::move(pairs), replaced};
  const Tensor variant =
      options.variants.defined() ? draw_variants(options.variants, drawn, key.fork("variant")) : drawn;
  pairs.negative = mixed(replaced, take(options.negatives, variant), has_negative ? batch.negative : batch.condition);
  return {std::move(pairs), replaced};
}

}  // namespace plumb
