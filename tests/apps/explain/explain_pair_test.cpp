#include "apps/explain/explain_pair.h"

#include <doctest/doctest.h>

#include <cmath>

#include "align/perturb_init.h"
#include "engine/error.h"

using namespace plumb;
using doctest::Approx;

namespace {

using Vector = std::vector<double>;

constexpr int64_t kTimesteps = 20;

PointModel small_model() {
  Generator generator(3);
  return {
      std::make_unique<PointDenoiser>(PointDenoiserOptions{.classes = 3, .hidden = 8, .hidden_layers = 2}, generator),
      {.num_train_timesteps = kTimesteps, .beta_start = 1e-3, .beta_end = 0.2},
      Prediction::epsilon};
}

/// An explanation of a pair whose student lies beside the reference.
struct Explained {
  explicit Explained(const ObjectiveChoice& objective, const std::string& policy = "forward",
                     const PairChoice& choice = {.pair = 4, .t = 7}, RewardScale scale = RewardScale::none) {
    settings.objective = objective;
    settings.models.policy.name = policy;
    settings.models.policy.data_driven.steps = 5;
    settings.trainer.reward_scale = scale;
    settings.pairs.world.classes = 3;
    resolve(settings);
    setup = std::make_unique<AlignSetup>(settings, small_model(), world_pairs(settings.pairs, RandomKey{.seed = 2}),
                                         RandomKey{.seed = 3});
    perturb_weights(setup->models.trained(), 0.1, RandomKey{.seed = 4});
    json = explain_pair(*setup, settings, choice, RandomKey{.seed = 5});
  }

  AlignSettings settings;
  std::unique_ptr<AlignSetup> setup;
  Json json;
};

Vector vector_of(const Json& values) {
  Vector all;
  for (const Json& value : values.as_array()) all.push_back(value.as_number());
  return all;
}

double mean_square(const Json& a, const Json& b) {
  const Vector x = vector_of(a), y = vector_of(b);
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return sum / double(x.size());
}

/// Rows winner, loser of a point in the explanation, in f64.
Tensor rows_of(const Json& sides) {
  Vector all = vector_of(sides.at("winner"));
  const int64_t dimensions = int64_t(all.size());
  if (!sides.at("loser").is_null())
    for (const double value : vector_of(sides.at("loser"))) all.push_back(value);
  return from_vector<double>(all, {int64_t(all.size()) / dimensions, dimensions});
}

bool uses_losers(const Json& e) { return !e.at("x0").at("loser").is_null(); }

void check_points(const Json& e) {
  const double abar = e.at("abar").as_number();
  for (const char* side : {"winner", "loser"}) {
    if (e.at("x_t").at(side).is_null()) continue;
    const Vector x0 = vector_of(e.at("x0").at(side)), noise = vector_of(e.at("noise").at(side)),
                 x = vector_of(e.at("x_t").at(side));
    for (size_t i = 0; i < x.size(); ++i)
      CHECK(x[i] == Approx(std::sqrt(abar) * x0[i] + std::sqrt(1 - abar) * noise[i]).epsilon(1e-5));
  }
}

void check_errors(const Json& e) {
  for (const char* side : {"winner", "loser"}) {
    if (e.at("target").at(side).is_null()) continue;
    CHECK(e.at("error").at(side).as_number() ==
          Approx(mean_square(e.at("student").at(side), e.at("target").at(side))).epsilon(1e-5));
    if (!e.at("ref_error").is_null())
      CHECK(std::abs(e.at("ref_error").at(side).as_number() -
                     mean_square(e.at("reference").at(side), e.at("target").at(side))) < 1e-6);
  }
}

/// The loss in f64, by the objective's own code, from the numbers that were printed.
void check_loss(const Explained& x) {
  const Json& e = x.json;
  ObjectiveInput input{.pred = Variable(rows_of(e.at("student"))), .target = rows_of(e.at("target"))};
  if (!e.at("reference").is_null()) input.ref = rows_of(e.at("reference"));
  const int64_t count = input.pred.value().size(0);
  input.timesteps = full({count}, double(e.at("t").as_integer()), DType::i64);
  input.num_train_timesteps = kTimesteps;
  input.alphas_cumprod = x.setup->models.schedule().alphas_cumprod();
  input.winners_only = !uses_losers(e);
  const ObjectiveOutput output = (*x.setup->objective)(input);
  CHECK(e.at("loss").as_number() == Approx(output.loss.value().item()).epsilon(1e-4));
  if (e.at("logit").is_null()) return;
  const Vector logits = output.logit.to_vector<double>(), printed = vector_of(e.at("logit"));
  REQUIRE(logits.size() == printed.size());
  for (size_t i = 0; i < logits.size(); ++i) {
    CHECK(std::abs(printed[i] - logits[i]) < 1e-4 * (1 + std::abs(logits[i])));
    CHECK(vector_of(e.at("weight"))[i] == Approx(1 / (1 + std::exp(printed[i]))).epsilon(1e-9));
  }
}

void check_gradient(const Json& e) {
  const Json& g = e.at("gradient");
  if (!uses_losers(e)) {
    CHECK(g.at("winner").is_null());
    return;
  }
  const double w = g.at("winner").as_number(), l = g.at("loser").as_number(), total = g.at("total").as_number();
  const double cosine = g.at("cosine").is_null() ? 0 : g.at("cosine").as_number();
  CHECK(total > 0);
  CHECK(total * total == Approx(w * w + l * l + 2 * w * l * cosine).epsilon(1e-4));
}

}  // namespace

TEST_CASE("explain: every objective under every policy pair, against f64") {
  for (const ObjectiveEntry& entry : objective_table())
    for (const char* policy : {"forward", "training_free", "oracle", "data_driven"}) {
      CAPTURE(entry.name);
      CAPTURE(policy);
      const Explained x({.name = std::string(entry.name)}, policy);
      check_points(x.json);
      check_errors(x.json);
      check_loss(x);
      check_gradient(x.json);
      CHECK(x.json.at("t").as_integer() == 7);
      CHECK(x.json.at("abar").as_number() == x.setup->models.schedule().alpha_cumprod(7));
      CHECK(format_explanation(x.json).find(std::string(entry.name)) == 0);
    }
}

TEST_CASE("explain: Diffusion-DPO by hand") {
  const Json e = Explained({.name = "diffusion_dpo", .beta = 3.0}).json;
  const double margin = (e.at("error").at("winner").as_number() - e.at("error").at("loser").as_number()) -
                        (e.at("ref_error").at("winner").as_number() - e.at("ref_error").at("loser").as_number());
  CHECK(e.at("margin").as_number() == Approx(margin).epsilon(1e-12));
  const double z = -1.5 * margin;
  CHECK(vector_of(e.at("logit"))[0] == Approx(z).epsilon(1e-4));
  CHECK(vector_of(e.at("weight"))[0] == Approx(1 / (1 + std::exp(z))).epsilon(1e-4));
  CHECK(e.at("loss").as_number() == Approx(std::log1p(std::exp(-z))).epsilon(1e-5));
  CHECK(e.at("warning").is_null());
}

TEST_CASE("explain: the targets of the policy pairs") {
  const Json free = Explained({.name = "ddspo"}, "training_free").json;
  CHECK(free.at("target").at("winner") == free.at("reference").at("winner"));
  CHECK_FALSE(free.at("target").at("loser") == free.at("reference").at("loser"));
  CHECK(free.at("ref_error").at("winner").as_number() == 0);
  const Explained oracle({.name = "ddspo"}, "oracle");
  const Tensor x_t = rows_of(oracle.json.at("x_t"));
  const Tensor labels =
      from_vector<int64_t>({oracle.json.at("c").as_integer(), oracle.json.at("c_minus").as_integer()}, {2});
  const Tensor exact =
      Gaussians2d({.classes = 3})
          .clean_noise(oracle.setup->models.schedule(), x_t.to(DType::f32), full({2}, 7.0, DType::i64), labels);
  const Vector expected = exact.to_vector<double>(), got = rows_of(oracle.json.at("target")).to_vector<double>();
  for (size_t i = 0; i < got.size(); ++i) CHECK(got[i] == Approx(expected[i]).epsilon(1e-5));
  const Json forward = Explained({.name = "diffusion_dpo"}).json;
  CHECK(forward.at("target") == forward.at("noise"));
  CHECK(forward.at("noise").at("winner") == forward.at("noise").at("loser"));
}

TEST_CASE("explain: what is peculiar to an objective") {
  const Json kto = Explained({.name = "diffusion_kto"}).json;
  CHECK_FALSE(kto.at("noise").at("winner") == kto.at("noise").at("loser"));
  CHECK(vector_of(kto.at("logit")).size() == 2);
  CHECK(kto.at("offset").as_number() >= 0);
  // The denoising term of MaPO is SFT's loss, that of Self-DPO half of it; both see the same winner and noise.
  const double sft = Explained({.name = "sft"}).json.at("gradient").at("total").as_number();
  CHECK(Explained({.name = "mapo"}).json.at("gradient").at("denoising").as_number() == Approx(sft).epsilon(1e-4));
  const Json self = Explained({.name = "self_dpo"}).json;
  CHECK(self.at("gradient").at("denoising").as_number() == Approx(sft / 2).epsilon(1e-4));
  CHECK(self.at("gradient").at("preference").as_number() > 0);
  const Json dpo = Explained({.name = "diffusion_dpo"}).json;
  CHECK_FALSE(self.at("x0").at("loser") == dpo.at("x0").at("loser"));
  CHECK(dpo.at("gradient").at("denoising").is_null());
}

TEST_CASE("explain: the reward scale multiplies the logit") {
  const Json plain = Explained({.name = "diffusion_dpo", .beta = 3.0}).json;
  const Json scaled =
      Explained({.name = "diffusion_dpo", .beta = 3.0}, "forward", {.pair = 4, .t = 7}, RewardScale::minmax).json;
  const double scale = scaled.at("logit_scale").as_number();
  CHECK(scale > 1);
  CHECK(scale < 2);
  CHECK(vector_of(scaled.at("logit"))[0] == Approx(scale * vector_of(plain.at("logit"))[0]).epsilon(1e-5));
  CHECK(plain.at("logit_scale").is_null());
}

TEST_CASE("explain: a saturated logit is warned of, on either side") {
  bool ordered = false, reversed = false;
  for (int64_t pair = 0; pair < 6; ++pair) {
    const Json e = Explained({.name = "diffusion_dpo", .beta = 1e6}, "forward", {.pair = pair, .t = 7}).json;
    const double z = vector_of(e.at("logit"))[0];
    REQUIRE(std::abs(z) > 10);
    REQUIRE(e.at("warning").is_string());
    const std::string& text = e.at("warning").as_string();
    CHECK((text.find("gradient is gone") != std::string::npos) == (z > 0));
    CHECK((text.find("constant force") != std::string::npos) == (z < 0));
    CHECK(format_explanation(e).find("warning: saturated") != std::string::npos);
    (z > 0 ? ordered : reversed) = true;
  }
  CHECK(ordered);
  CHECK(reversed);
}

TEST_CASE("explain: t is drawn from the key when it is not given, and weights stay what they are") {
  Explained x({.name = "diffusion_dpo"}, "forward", {.pair = 1});
  const Json again = explain_pair(*x.setup, x.settings, {.pair = 1}, RandomKey{.seed = 5});
  CHECK(again == x.json);
  const int64_t t = x.json.at("t").as_integer();
  CHECK(t == x.setup->trainer.timesteps().draw(RandomKey{.seed = 5}, 1).to_vector<int64_t>()[0]);
  CHECK_THROWS_AS(explain_pair(*x.setup, x.settings, {.pair = 6}, RandomKey{}), ValueError);
  CHECK_THROWS_AS(explain_pair(*x.setup, x.settings, {.pair = -1}, RandomKey{}), ValueError);
  CHECK_THROWS_AS(explain_pair(*x.setup, x.settings, {.pair = 0, .t = kTimesteps}, RandomKey{}), ValueError);
}
