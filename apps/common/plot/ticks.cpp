#include "apps/common/plot/ticks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace plumb::plot {
namespace {

double nice_step(double raw) {
  double power = std::pow(10.0, std::floor(std::log10(raw)));
  double lead = raw / power;
  return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}

// "1e-05" reads better as 1e-5.
std::string scientific(double value, int digits) {
  std::string text = fmt::format("{:.{}e}", value, digits);
  std::size_t e = text.find('e');
  bool negative = text[e + 1] == '-';
  std::size_t first = std::min(text.find_first_not_of('0', e + 2), text.size() - 1);
  return text.substr(0, e + 1) + (negative ? "-" : "") + text.substr(first);
}

}  // namespace

std::vector<Tick> linear_ticks(double low, double high, int wanted) {
  std::vector<Tick> ticks;
  if (!(high > low) || !std::isfinite(high - low) || wanted < 1) return ticks;
  double step = nice_step((high - low) / wanted);
  // Steps below the resolution of the values would never end.
  if (!(step > 0) || low + step == low || high + step == high) return ticks;
  constexpr double kSlack = 1e-9;  // a limit that is a multiple keeps its tick in spite of rounding
  double first = std::ceil(low / step - kSlack), last = std::floor(high / step + kSlack);
  double largest = std::max(std::abs(low), std::abs(high));
  bool powers = largest >= 1e5 || largest < 1e-3;
  int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + kSlack)));
  int digits = static_cast<int>(std::max(0.0, std::floor(std::log10(largest)) - std::floor(std::log10(step) + kSlack)));
  for (double k = first; k <= last; ++k) {
    double value = k * step;
    std::string text = k == 0 ? "0" : powers ? scientific(value, digits) : fmt::format("{:.{}f}", value, decimals);
    ticks.push_back({value, text});
  }
  return ticks;
}

std::vector<Tick> log_ticks(double low, double high, int wanted) {
  std::vector<Tick> ticks;
  if (!(low > 0) || !(high > low) || !std::isfinite(high) || wanted < 1) return ticks;
  int first = static_cast<int>(std::floor(std::log10(low))), last = static_cast<int>(std::ceil(std::log10(high)));
  int every = std::max(1, (last - first + wanted - 1) / wanted);
  bool fine = std::log10(high / low) < 2.5;
  for (int k = first; k <= last; ++k) {
    for (int lead : {1, 2, 5}) {
      if (lead > 1 ? !fine : (k - first) % every != 0) continue;
      double value = lead * std::pow(10.0, k);
      if (value < low * (1 - 1e-9) || value > high * (1 + 1e-9)) continue;
      ticks.push_back({value, value >= 1e-3 && value < 1e5 ? fmt::format("{:.6g}", value) : scientific(value, 0)});
    }
  }
  return ticks;
}

}  // namespace plumb::plot
