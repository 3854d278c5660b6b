#pragma once

#include <memory>
#include <string>

#include "align/data_driven_pair.h"
#include "align/worlds/gaussians2d.h"

namespace plumb {

/// Where targets come from.
struct PolicyOptions {
  std::string name = "forward";  ///< forward, training_free, oracle, data_driven
  DataDrivenOptions data_driven = {};
};

/// What policy pairs are made of; world and schedule must outlive an oracle.
struct PolicyParts {
  const Denoiser& initial;   ///< cloned by a data-driven pair
  const Gaussians2d& world;  ///< read by an oracle
  const NoiseSchedule& schedule;
  const PreferencePairs& pairs;  ///< train a data-driven pair's adapters
  RandomKey key;                 ///< of that training
};

/// A policy pair by name. Throws ValueError naming the known ones, and as make_data_driven_pair does.
std::unique_ptr<PolicyPair> make_policy(const PolicyOptions& options, const PolicyParts& parts);

}  // namespace plumb
