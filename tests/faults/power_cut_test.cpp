// R2: what a power cut leaves of a save.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <functional>
#include <set>

#include "tests/faults/counts.h"
#include "tests/faults/disk_model.h"
#include "tests/faults/tiny_run.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using namespace plumb::test;
namespace fs = std::filesystem;

namespace {

bool is_change(const IoCall& call) {
  if (!call.done) return false;
  return call.kind == IoKind::write || call.kind == IoKind::rename || call.kind == IoKind::remove ||
         call.kind == IoKind::make_folder || call.kind == IoKind::sync || (call.kind == IoKind::open && call.creates);
}

/// A save of `fresh` beside checkpoint-1, which is safe: the disk before and the calls that change it.
struct Recording {
  Recording(TinyRun& old, TinyRun& fresh, int64_t saved_step, int64_t keep) : step(saved_step) {
    const TempDir folder;
    old.save(folder.path(), 1, 0);
    disk = std::make_unique<DiskModel>(folder.path());
    const FaultInjection injection({.folder = folder.path().string(), .record = true});
    fresh.save(folder.path(), step, keep);
    for (IoCall& call : injection.recorded())
      if (is_change(call)) calls.push_back(std::move(call));
  }

  Recording(int64_t saved_step, const DiskModel& before, std::vector<IoCall> made)
      : step(saved_step), disk(std::make_unique<DiskModel>(before)), calls(std::move(made)) {}

  int64_t step;
  std::unique_ptr<DiskModel> disk;
  std::vector<IoCall> calls;
};

struct Tally {
  int64_t images = 0, distinct = 0, found_old = 0, found_new = 0;
  std::vector<std::string> wrong = {};
};

struct Bits {
  std::string old, fresh;
};

/// What the next start makes of an image; "" when that is the old checkpoint or, always once the save is done, the new.
std::string judge(const std::map<std::string, std::string>& image, const Recording& recording, const Bits& bits,
                  bool done, Tally& tally) {
  const TempDir folder;
  write_image(folder.path(), image);
  Recovered found;
  try {
    found = recover(folder.path());
  } catch (const std::exception& error) {
    return error.what();
  }
  if (!found.fault.empty()) return found.fault;
  const bool is_new = found.step == recording.step && found.bits == bits.fresh;
  if (!is_new && (found.step != 1 || found.bits != bits.old)) return "neither the old nor the new checkpoint";
  if (done && !is_new) return "the finished checkpoint is lost";
  ++(is_new ? tally.found_new : tally.found_old);
  return "";
}

/// Cuts the power after every call, `draws` times at random and in four plain ways. To find whether anything can go
/// wrong at all it begins at the end, where a finished checkpoint may be missing.
Tally cut_everywhere(const Recording& recording, const Bits& bits, int64_t draws, bool only_whether) {
  using Loss = DiskModel::Loss;
  Tally tally;
  std::vector<DiskModel> disks = {*recording.disk};  // after each call
  for (const IoCall& call : recording.calls) disks.emplace_back(disks.back()).apply(call);
  std::set<std::map<std::string, std::string>> seen;
  for (size_t i = 0; i < disks.size(); ++i) {
    const size_t done = only_whether ? disks.size() - 1 - i : i;
    const bool finished = done == recording.calls.size();
    if (finished) seen.clear();  // from now on the old one will not do
    for (int64_t draw = -4; draw < draws; ++draw) {
      constexpr Loss kPlain[] = {Loss::nothing, Loss::all, Loss::bytes, Loss::names};
      auto image = disks[done].after_power_cut(draw < 0 ? kPlain[draw + 4] : Loss::some, uint64_t(draw) * 7919 + done);
      ++tally.images;
      if (!seen.insert(image).second) continue;
      ++tally.distinct;
      const std::string wrong = judge(image, recording, bits, finished, tally);
      if (!wrong.empty()) tally.wrong.push_back(fmt::format("after {} calls: {}", done, wrong));
      if (!wrong.empty() && only_whether) return tally;
    }
    if (finished) seen.clear();
  }
  return tally;
}

}  // namespace

TEST_CASE("R2: after a power cut anywhere in a save the old checkpoint or the new one is found, whole") {
  TinyRun old(1), fresh(2);
  const Bits bits{old.bits(), fresh.bits()};
  Tally all;
  int64_t syncs = 0, needed = 0;
  for (const auto& [step, keep] : {std::pair<int64_t, int64_t>{2, 0}, {2, 1}, {1, 0}}) {
    CAPTURE(step);
    CAPTURE(keep);
    const Recording recording(old, fresh, step, keep);
    const Tally tally = cut_everywhere(recording, bits, tries(40, 400), false);
    CHECK(fmt::format("{}", fmt::join(tally.wrong, "\n")) == "");
    all.images += tally.images, all.distinct += tally.distinct;
    all.found_old += tally.found_old, all.found_new += tally.found_new;
    // The model must see what goes wrong without any one of the syncs, or this test shows nothing.
    for (size_t i = 0; i < recording.calls.size(); ++i) {
      if (recording.calls[i].kind != IoKind::sync) continue;
      CAPTURE(recording.calls[i].path);
      Recording without(recording.step, *recording.disk, recording.calls);
      without.calls.erase(without.calls.begin() + int64_t(i));
      const bool noticed = !cut_everywhere(without, bits, tries(200, 400), true).wrong.empty();
      CHECK(noticed);
      ++syncs, needed += noticed;
    }
  }
  CHECK(all.found_old > 0);
  CHECK(all.found_new > 0);
  count("R2", fmt::format("{} power cuts ({} different disks): {} found the old checkpoint, {} the new one, 0 neither; "
                          "without any one of {} syncs, {} of {} times a loss is seen",
                          all.images, all.distinct, all.found_old, all.found_new, syncs, needed, syncs));
}
