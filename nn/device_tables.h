#pragma once

#include <array>
#include <memory>

#include "engine/tensor.h"

namespace plumb {

/// Small tables of numbers that are computed on the CPU, as their owner says, and kept on every CUDA device that asks
/// for one: a training step then gathers from them without a word to the host, and both devices see the same bits.
/// A copy shares what is kept. Safe to use from several threads.
class DeviceTables {
 public:
  /// Which table of the owner's.
  using Key = std::array<double, 4>;

  DeviceTables();

  /// The table `key` on `device`. `make` gives it on the CPU; it is called when the device asks for the first time
  /// (for the CPU every time: nothing is kept there).
  template <class Make>
  Tensor on(Device device, const Key& key, Make&& make) const {
    if (device.is_cpu()) return make();
    const Tensor kept = find(device, key);
    return kept.defined() ? kept : keep(device, key, make().to(device));
  }

 private:
  struct Kept;

  Tensor find(Device device, const Key& key) const;
  Tensor keep(Device device, const Key& key, Tensor table) const;

  std::shared_ptr<Kept> kept_;
};

}  // namespace plumb
