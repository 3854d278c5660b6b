#include "apps/explain/explain_pair.h"

#include <cmath>

#include "align/downgrade/downgrade.h"
#include "autograd/backward.h"
#include "autograd/ops.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// The pair with what was drawn for it.
struct OnePair {
  PreferencePairs pair;
  PairDraw draw;
};

OnePair draw_pair(AlignSetup& setup, const AlignSettings& settings, const PairChoice& choice, const RandomKey& key) {
  const int64_t timesteps = setup.models.schedule().num_train_timesteps();
  require<ValueError>(choice.pair >= 0 && choice.pair < setup.pairs.size(), "explain: pair must be in [0, {}) ({})",
                      setup.pairs.size(), choice.pair);
  require<ValueError>(!choice.t || (*choice.t >= 0 && *choice.t < timesteps), "explain: t must be in [0, {}) ({})",
                      timesteps, choice.t.value_or(0));
  OnePair one{setup.pairs.take(full({1}, double(choice.pair), DType::i64)), {}};
  if (settings.objective.name == "self_dpo")
    one.pair = Downgrade({.data_set = setup.pairs.winners})(one.pair, key.fork("transform"));
  one.draw.t = choice.t ? full({1}, double(*choice.t), DType::i64) : setup.trainer.timesteps().draw(key, 1);
  one.draw.noise = randn(key.fork("noise"), one.pair.winners.shape());
  const bool unpaired = setup.objective->is_unpaired();
  if (unpaired || settings.trainer.independent_noise)
    one.draw.loser_noise = randn(key.fork("loser noise"), one.pair.winners.shape());
  if (unpaired) one.draw.labels = from_vector<double>({1, -1}, {2});
  if (setup.objective->reads_rolled_conditions()) one.draw.rolled = one.pair.condition;
  if (settings.trainer.reward_scale != RewardScale::none) {
    const Tensor scale = reward_scale(setup.models.schedule().alphas_cumprod(), settings.trainer.reward_scale);
    one.draw.logit_scale = index_select(scale, 0, unpaired ? cat({one.draw.t, one.draw.t}, 0) : one.draw.t);
  }
  return one;
}

PreferenceStep step_of(AlignSetup& setup, const Objective& objective) {
  return {.student = &setup.models.student(),
          .reference = &setup.trainer.reference(),
          .initial = &setup.models.initial(),
          .objective = &objective,
          .policy = &setup.models.policy(),
          .schedule = &setup.models.schedule(),
          .prediction = setup.models.prediction()};
}

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

double norm(const Vector& a) { return std::sqrt(dot(a, a)); }

/// Through which rows of the student's prediction a gradient may flow.
enum class Through { both, winner, loser };

/// The gradient of the objective with respect to every trained weight, in one vector.
Vector gradient_of(AlignSetup& setup, const Objective& objective, const OnePair& one, Through through) {
  setup.optimizer->zero_grad();
  ObjectiveInput input = step_of(setup, objective).evaluate(one.pair, one.draw);
  if (through != Through::both) {
    const Variable winner = slice(input.pred, 0, 0, 1), loser = slice(input.pred, 0, 1, 2);
    input.pred = through == Through::winner ? cat({winner, loser.detach()}, 0) : cat({winner.detach(), loser}, 0);
  }
  const Variable loss = objective(input).loss;
  if (loss.requires_grad()) backward(loss);
  Vector all;
  for (const NamedParameter& named : setup.models.trained()) {
    const Tensor grad = named.parameter->grad();
    const Vector part = grad.defined() ? grad.to_vector<double>() : Vector(size_t(named.parameter->numel()), 0.0);
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

ObjectiveSettings with(ObjectiveSettings settings, const std::string& key, const std::string& value) {
  std::erase_if(settings, [&](const auto& setting) { return setting.first == key; });
  settings.emplace_back(key, value);
  return settings;
}

/// The two terms of Self-DPO and MaPO, by switching off the second.
void add_terms(Json& gradient, AlignSetup& setup, const OnePair& one, const Vector& total) {
  const std::string_view name = setup.objective->name();
  const char* second = name == "self_dpo" ? "lambda2" : name == "mapo" ? "b" : nullptr;
  gradient.set("denoising", Json()).set("preference", Json());
  if (!second) return;
  const std::unique_ptr<Objective> first = make_objective(name, with(setup.objective_settings, second, "0"));
  Vector rest = total;
  const Vector denoising = gradient_of(setup, *first, one, Through::both);
  for (size_t i = 0; i < rest.size(); ++i) rest[i] -= denoising[i];
  gradient.set("denoising", norm(denoising)).set("preference", norm(rest));
}

Json gradient_json(AlignSetup& setup, const OnePair& one) {
  const Vector total = gradient_of(setup, *setup.objective, one, Through::both);
  Json gradient = Json::object();
  gradient.set("total", norm(total)).set("winner", Json()).set("loser", Json()).set("cosine", Json());
  if (setup.objective->uses_losers()) {
    const Vector winner = gradient_of(setup, *setup.objective, one, Through::winner);
    const Vector loser = gradient_of(setup, *setup.objective, one, Through::loser);
    const double product = norm(winner) * norm(loser);
    gradient.set("winner", norm(winner)).set("loser", norm(loser));
    if (product > 0) gradient.set("cosine", dot(winner, loser) / product);
  }
  add_terms(gradient, setup, one, total);
  return gradient;
}

Json numbers(const Vector& values) {
  Json json = Json::array();
  for (const double value : values) json.push_back(value);
  return json;
}

/// {winner, loser} of rows [1 or 2, D]; null when undefined.
Json sides(const Tensor& rows) {
  if (!rows.defined()) return {};
  Json json = Json::object();
  json.set("winner", numbers(slice(rows, 0, 0, 1).to_vector<double>()));
  return json.set("loser", rows.size(0) > 1 ? numbers(slice(rows, 0, 1, 2).to_vector<double>()) : Json());
}

/// {winner, loser} of values [1 or 2]; null when undefined.
Json side_values(const Tensor& values) {
  if (!values.defined()) return {};
  const Vector all = values.to_vector<double>();
  Json json = Json::object();
  return json.set("winner", all[0]).set("loser", all.size() > 1 ? Json(all[1]) : Json());
}

Json label_json(const Tensor& labels) { return labels.defined() ? Json(labels.to_vector<int64_t>()[0]) : Json(); }

Json margin_json(const Json& error, const Json& reference) {
  if (error.at("loser").is_null() || reference.is_null() || reference.at("loser").is_null()) return {};
  return (error.at("winner").as_number() - error.at("loser").as_number()) -
         (reference.at("winner").as_number() - reference.at("loser").as_number());
}

/// 1 - sigmoid(z), without cancellation.
double wrong_probability(double z) { return z > 0 ? std::exp(-z) / (1 + std::exp(-z)) : 1 / (1 + std::exp(z)); }

/// What to change when a logit is where its gradient says nothing any more; null when none is.
Json warning_for(const AlignSetup& setup, const Vector& logits) {
  constexpr double kSaturated = 10, kComfortable = 5;
  double worst = 0;
  for (const double z : logits)
    if (std::abs(z) > std::abs(worst)) worst = z;
  if (!(std::abs(worst) > kSaturated)) return {};
  if (!setup.objective->uses_reference())
    return fmt::format("|z| = {:.4g} is above 10, as MaPO's T times odds often is: the preference term {}; b weighs it",
                       std::abs(worst), worst > 0 ? "is silent for this pair" : "pushes with constant force");
  return fmt::format(
      "saturated: |z| = {:.4g} is above 10, {}; {:.2g} times the present beta (or temperature) would give "
      "|z| = {}, a lower --learning_rate keeps the student near",
      std::abs(worst),
      worst > 0 ? "the pair is ordered so well that its gradient is gone"
                : "the pair pushes with constant force whatever its errors",
      kComfortable / std::abs(worst), kComfortable);
}

/// Points before they are noised, what is added, and the result: winners over losers.
void add_points(Json& json, AlignSetup& setup, const OnePair& one) {
  const PairDraw& draw = one.draw;
  const bool losers = setup.objective->uses_losers();
  const NoisedPairs noised = noise_pairs(setup.models.schedule(), setup.models.prediction(), one.pair, draw);
  const Tensor loser_noise = draw.loser_noise.defined() ? draw.loser_noise : draw.noise;
  json.set("x0", sides(losers ? cat({one.pair.winners, one.pair.losers}, 0) : one.pair.winners));
  json.set("noise", sides(losers ? cat({draw.noise, loser_noise}, 0) : draw.noise));
  json.set("x_t", sides(losers ? noised.x : slice(noised.x, 0, 0, 1)));
}

}  // namespace

Json explain_pair(AlignSetup& setup, const AlignSettings& settings, const PairChoice& choice, const RandomKey& key) {
  const OnePair one = draw_pair(setup, settings, choice, key);
  const ObjectiveInput input = step_of(setup, *setup.objective).evaluate(one.pair, one.draw);
  const ObjectiveOutput output = (*setup.objective)(input);
  const int64_t t = one.draw.t.to_vector<int64_t>()[0];
  const Vector logits = output.logit.defined() ? output.logit.to_vector<double>() : Vector{};
  Vector weights;
  for (const double z : logits) weights.push_back(wrong_probability(z));
  Json options = Json::object(), json = Json::object();
  for (const auto& [name, value] : setup.objective_settings) options.set(name, value);
  json.set("objective", setup.objective->name()).set("policy", settings.models.policy.name).set("settings", options);
  json.set("pair", choice.pair).set("pairs", setup.pairs.size());
  json.set("c", label_json(one.pair.condition.labels)).set("c_minus", label_json(one.pair.negative.labels));
  json.set("t", t).set("num_train_timesteps", setup.models.schedule().num_train_timesteps());
  json.set("abar", setup.models.schedule().alpha_cumprod(t));
  add_points(json, setup, one);
  json.set("student", sides(input.pred.value())).set("reference", sides(input.ref)).set("target", sides(input.target));
  json.set("error", side_values(output.error)).set("ref_error", side_values(output.ref_error));
  json.set("margin", margin_json(json.at("error"), json.at("ref_error")));
  json.set("logit_scale", one.draw.logit_scale.defined() ? Json(one.draw.logit_scale.to_vector<double>()[0]) : Json());
  json.set("logit", logits.empty() ? Json() : numbers(logits));
  json.set("weight", weights.empty() ? Json() : numbers(weights));
  json.set("offset", output.offset.defined() ? Json(output.offset.item()) : Json());
  json.set("loss", output.loss.value().item()).set("gradient", gradient_json(setup, one));
  return json.set("warning", warning_for(setup, logits));
}

}  // namespace plumb
