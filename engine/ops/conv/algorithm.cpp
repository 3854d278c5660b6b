#include "engine/ops/conv/algorithm.h"

#include <algorithm>
#include <atomic>

#include "engine/isa/kernels.h"
#include "engine/ops/conv/winograd.h"

namespace plumb {
namespace {

std::atomic<WinogradChoice> choice_in_force{WinogradChoice::faster};

bool is_faster(ConvDirection, const ConvGeometry& g) { return std::min(g.in_channels, g.out_channels) >= 32; }

}  // namespace

void set_winograd_allowed(bool allowed) { choice_in_force = allowed ? WinogradChoice::faster : WinogradChoice::never; }

bool winograd_allowed() { return choice_in_force != WinogradChoice::never; }

bool takes_winograd(ConvDirection direction, const ConvGeometry& geometry) {
  const WinogradChoice choice = choice_in_force;
  if (choice == WinogradChoice::never || !winograd_fits(kernels(), geometry)) return false;
  return choice == WinogradChoice::fitting || is_faster(direction, geometry);
}

WinogradScope::WinogradScope(WinogradChoice choice) : before_(choice_in_force.exchange(choice)) {}
WinogradScope::~WinogradScope() { choice_in_force = before_; }

}  // namespace plumb
