#include "engine/random/fills.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/random/distributions.h"

using namespace plumb;

namespace {

const RandomKey kKey{.seed = 7, .stream = 9, .step = 11, .sample0 = 13};

template <class T>
std::vector<T> normals(const RandomKey& key, int64_t rows, int64_t elements) {
  std::vector<T> out(size_t(rows * elements), T(NAN));
  fill_normal(key, {rows, elements}, out.data());
  return out;
}

double moment(const std::vector<double>& x, int power) {
  double sum = 0;
  for (double v : x) sum += std::pow(v, power);
  return sum / double(x.size());
}

double correlation(const std::vector<double>& x, const std::vector<double>& y) {
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum / double(x.size());
}

}  // namespace

TEST_CASE("fills: an element is the documented function of key, sample and element") {
  std::vector<float> u(3 * 5);
  fill_uniform(kKey, {3, 5}, u.data());
  const uint64_t bits = kKey.philox_key();
  for (int row = 0; row < 3; ++row)
    for (int e = 0; e < 5; ++e) {
      const PhiloxBlock counter = philox_counter(kKey.step, kKey.sample0 + uint64_t(row), uint64_t(e / 4));
      const PhiloxBlock block = philox(counter, uint32_t(bits), uint32_t(bits >> 32));
      CHECK(u[size_t(row * 5 + e)] == float(block.word[e % 4] >> 8) / 16777216.0f);
    }
}

// Expected values from the definitions, computed with Python's integers and math module.
TEST_CASE("fills: values are stable for ever") {
  std::vector<float> u(2), n(2);
  std::vector<int64_t> i(3);
  fill_uniform(kKey, {1, 2}, u.data());
  fill_normal(kKey, {1, 2}, n.data());
  fill_randint(kKey, {1, 3}, 0, 1000, i.data());
  CHECK(u == std::vector<float>{0x1.76d6dp-2f, 0x1.9f2792p-1f});
  CHECK(n[0] == doctest::Approx(0.5289227394951914).epsilon(2e-7));
  CHECK(n[1] == doctest::Approx(-1.3153670125350294).epsilon(2e-7));
  CHECK(i == std::vector<int64_t>{366, 372, 505});
  CHECK(permutation(kKey, 6) == std::vector<int64_t>{2, 0, 3, 5, 4, 1});
}

TEST_CASE("fills: cutting a batch into pieces changes nothing, for any row size") {
  for (int64_t elements : {1, 2, 3, 4, 5, 7, 64, 255, 256, 257, 1000}) {
    CAPTURE(elements);
    const std::vector<float> whole = normals<float>(kKey, 70, elements);
    for (int64_t cut : {1, 31, 69}) {
      std::vector<float> parts = normals<float>(kKey, cut, elements);
      const std::vector<float> rest = normals<float>(kKey.at_sample(kKey.sample0 + uint64_t(cut)), 70 - cut, elements);
      parts.insert(parts.end(), rest.begin(), rest.end());
      CHECK(parts == whole);
    }
    const std::vector<double> doubles = normals<double>(kKey, 9, elements);
    const std::vector<double> row8 = normals<double>(kKey.at_sample(kKey.sample0 + 8), 1, elements);
    CHECK(std::equal(row8.begin(), row8.end(), doubles.end() - elements));
  }
}

TEST_CASE("fills: a shorter row is the beginning of a longer one") {
  const std::vector<float> longer = normals<float>(kKey, 1, 1000), shorter = normals<float>(kKey, 1, 321);
  CHECK(std::equal(shorter.begin(), shorter.end(), longer.begin()));
}

TEST_CASE("fills: same bits for any number of threads") {
  const int threads = num_threads();
  std::vector<std::vector<float>> drawn;
  for (int count : {1, 2, 3, 8}) {
    set_num_threads(count);
    drawn.push_back(normals<float>(kKey, 3, 100001));
    CHECK(drawn.back() == drawn.front());
  }
  set_num_threads(threads);
}

TEST_CASE("fills: seed, stream, step and sample each change every draw") {
  const std::vector<float> base = normals<float>(kKey, 1, 64);
  RandomKey other_seed = kKey;
  ++other_seed.seed;
  for (const RandomKey& key : {other_seed, kKey.fork("x"), kKey.at_step(12), kKey.at_step(11 + (1ull << 32)),
                               kKey.at_sample(14), kKey.at_sample(13 + (1ull << 32))}) {
    const std::vector<float> changed = normals<float>(key, 1, 64);
    for (size_t i = 0; i < 64; ++i) CHECK(changed[i] != base[i]);
  }
}

// Standard errors for n draws: mean 1/sqrt(n), variance sqrt(2/n), skewness sqrt(15/n), fourth moment sqrt(96/n).
TEST_CASE("fills: normals have the moments of a normal, within five standard errors") {
  const int64_t n = 1 << 18;
  const std::vector<float> f = normals<float>(kKey, 512, n / 512);
  for (const std::vector<double>& x : {std::vector<double>(f.begin(), f.end()), normals<double>(kKey, 512, n / 512)}) {
    CHECK(std::abs(moment(x, 1)) < 5 * std::sqrt(1.0 / n));
    CHECK(std::abs(moment(x, 2) - 1) < 5 * std::sqrt(2.0 / n));
    CHECK(std::abs(moment(x, 3)) < 5 * std::sqrt(15.0 / n));
    CHECK(std::abs(moment(x, 4) - 3) < 5 * std::sqrt(96.0 / n));
    const double beyond = double(std::count_if(x.begin(), x.end(), [](double v) { return std::abs(v) > 3; }));
    CHECK(std::abs(beyond / n - 0.0026998) < 5 * std::sqrt(0.0027 / n));
  }
}

TEST_CASE("fills: neighbours in element, sample, step, seed and stream are uncorrelated") {
  const int64_t n = 1 << 14;
  const std::vector<double> x = normals<double>(kKey, 1, n);
  const double bound = 5 / std::sqrt(double(n));
  RandomKey other_seed = kKey;
  ++other_seed.seed;
  for (const RandomKey& key : {other_seed, kKey.fork("y"), kKey.at_step(12), kKey.at_sample(14)})
    CHECK(std::abs(correlation(x, normals<double>(key, 1, n))) < bound);
  for (size_t lag : {1, 2, 4})
    CHECK(std::abs(correlation({x.begin(), x.end() - long(lag)}, {x.begin() + long(lag), x.end()})) < bound);
}

TEST_CASE("fills: uniforms lie in [0, 1) and fill it evenly") {
  const int64_t n = 1 << 16;
  std::vector<float> f(n);
  std::vector<double> d(n);
  fill_uniform(kKey, {4, n / 4}, f.data());
  fill_uniform(kKey, {4, n / 4}, d.data());
  double chi_f = 0, chi_d = 0;
  std::vector<int> bins_f(64), bins_d(64);
  for (int64_t i = 0; i < n; ++i) {
    REQUIRE((f[size_t(i)] >= 0 && f[size_t(i)] < 1 && d[size_t(i)] >= 0 && d[size_t(i)] < 1));
    ++bins_f[size_t(f[size_t(i)] * 64)];
    ++bins_d[size_t(d[size_t(i)] * 64)];
  }
  for (int bin = 0; bin < 64; ++bin) {
    chi_f += std::pow(bins_f[size_t(bin)] - n / 64, 2) / double(n / 64);
    chi_d += std::pow(bins_d[size_t(bin)] - n / 64, 2) / double(n / 64);
  }
  CHECK(chi_f < 63 + 5 * std::sqrt(2 * 63.0));  // chi squared: mean 63, variance 126
  CHECK(chi_d < 63 + 5 * std::sqrt(2 * 63.0));
}

TEST_CASE("fills: the extreme words give finite normals") {
  for (uint32_t turn = 0; turn < 64; ++turn) {
    const NormalPairF32 widest = normal_pair_f32(0, turn << 26), zero = normal_pair_f32(~0u, turn << 26);
    CHECK(std::hypot(widest.cosine, widest.sine) == doctest::Approx(6.6604).epsilon(1e-4));
    CHECK(zero.cosine == 0);
    CHECK(zero.sine == 0);
    const NormalPairF64 widest64 = normal_pair_f64(0, uint64_t(turn) << 58);
    CHECK(std::hypot(widest64.cosine, widest64.sine) == doctest::Approx(9.4193).epsilon(1e-4));
    CHECK(normal_pair_f64(~uint64_t(0), uint64_t(turn) << 58).cosine == 0);
  }
}

// The C library in double is the reference. The bounds are in units of the reference's own magnitude; for the angles,
// of the radius 1, because cos and sin pass through 0.
TEST_CASE("distributions: logarithm and angles are accurate") {
  double worst_log32 = 0, worst_log64 = 0, worst_angle32 = 0, worst_angle64 = 0;
  for (uint64_t i = 0; i < 200000; ++i) {
    const uint64_t bits = mix64(i);
    const double u = (double(bits >> 12) + 0.5) * 0x1p-52;
    const double small = std::ldexp(u + 0.5, -int(i % 60));
    if (float(small) != 1.0f)
      worst_log32 = std::max(worst_log32, std::abs(detail::log_f32(float(small)) / std::log(double(float(small))) - 1));
    worst_log64 = std::max(worst_log64, std::abs(detail::log_f64(small) / std::log(small) - 1));
    const NormalPairF32 p32 = polar_f32(1, uint32_t(bits));
    const double angle32 = double(uint32_t(bits)) * 0x1p-32 * 2 * M_PI;
    worst_angle32 =
        std::max({worst_angle32, std::abs(p32.cosine - std::cos(angle32)), std::abs(p32.sine - std::sin(angle32))});
    const NormalPairF64 p64 = polar_f64(1, bits);
    const double angle64 = double(bits) * 0x1p-64 * 2 * M_PI;
    worst_angle64 =
        std::max({worst_angle64, std::abs(p64.cosine - std::cos(angle64)), std::abs(p64.sine - std::sin(angle64))});
  }
  CAPTURE(worst_log32);
  CAPTURE(worst_log64);
  CAPTURE(worst_angle32);
  CAPTURE(worst_angle64);
  CHECK(worst_log32 <= 1.2e-7);
  CHECK(worst_log64 <= 3.4e-16);
  CHECK(worst_angle32 <= 1.2e-7);
  CHECK(worst_angle64 <= 2e-15);  // the reference angle itself is rounded at 6 * 2^-53
}

TEST_CASE("fills: integers lie in range and reach both ends, also for the widest range") {
  std::vector<int64_t> x(4000);
  fill_randint(kKey, {1000, 4}, -3, 4, x.data());
  for (int64_t v = -3; v < 4; ++v) CHECK(std::count(x.begin(), x.end(), v) > 400);
  CHECK(*std::min_element(x.begin(), x.end()) == -3);
  CHECK(*std::max_element(x.begin(), x.end()) == 3);
  fill_randint(kKey, {1, 4000}, INT64_MIN, INT64_MAX, x.data());
  CHECK(*std::min_element(x.begin(), x.end()) < INT64_MIN / 100 * 99);
  CHECK(*std::max_element(x.begin(), x.end()) > INT64_MAX / 100 * 99);
  fill_randint(kKey, {1, 10}, 5, 6, x.data());
  CHECK(std::count(x.begin(), x.begin() + 10, 5) == 10);
}

TEST_CASE("permutation: is one, and every place is as likely") {
  std::vector<int64_t> place_of_zero(6);
  for (uint64_t step = 0; step < 6000; ++step) {
    std::vector<int64_t> order = permutation(kKey.at_step(step), 6);
    ++place_of_zero[size_t(std::find(order.begin(), order.end(), 0) - order.begin())];
    std::sort(order.begin(), order.end());
    REQUIRE(order == std::vector<int64_t>{0, 1, 2, 3, 4, 5});
  }
  for (int64_t count : place_of_zero) CHECK(std::abs(count - 1000) < 5 * 29);  // sqrt(6000 * 5/36) = 28.9
  CHECK(permutation(kKey, 0).empty());
  CHECK(permutation(kKey, 1) == std::vector<int64_t>{0});
}

TEST_CASE("fills: nothing is written for empty rows") {
  float guard = 3;
  fill_normal(kKey, {5, 0}, &guard);
  fill_normal(kKey, {0, 5}, &guard);
  CHECK(guard == 3);
}

TEST_CASE("fills: sizes and keys past the limits are refused") {
  float x = 0;
  int64_t i = 0;
  CHECK_THROWS_WITH_AS(fill_normal(kKey, {-1, 2}, &x), "fill_normal: sizes must not be negative (-1 rows of 2)",
                       ValueError);
  CHECK_THROWS_WITH_AS(fill_uniform(kKey.at_step(1ull << 44), {1, 1}, &x),
                       "fill_uniform: step must be below 2^44 (17592186044416)", ValueError);
  CHECK_THROWS_WITH_AS(fill_uniform(kKey.at_sample((1ull << 44) - 1), {2, 1}, &x),
                       "fill_uniform: samples must be below 2^44 (first 17592186044415, 2 rows)", ValueError);
  CHECK_THROWS_WITH_AS(fill_uniform(kKey, {1, (1ll << 42) + 1}, &x),
                       "fill_uniform: a row must have at most 4398046511104 elements (4398046511105)", ValueError);
  CHECK_THROWS_WITH_AS(fill_randint(kKey, {1, 1}, 3, 3, &i), "fill_randint: low must be below high (low 3, high 3)",
                       ValueError);
  CHECK_THROWS_AS(permutation(kKey, -1), ValueError);
}
