#include <cstdio>

#include "align/worlds/shapes/certificate.h"
#include "apps/common/globals.h"
#include "apps/shapes/actions.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb::shapes {
namespace {

std::string row(const Certificate& c) {
  std::string problems;
  for (const auto& [problem, count] : c.problems) problems += fmt::format(" {}:{}", problem, count);
  const auto share = [&](int64_t count, int64_t of) { return of ? 100 * double(count) / double(of) : 0.0; };
  return fmt::format("{:<20}{:>9.3f}{:>9.3f}{:>12.3f}{:>14.2f}{:>11.4f}{:>9.4f} {}\n", c.damage.name,
                     share(c.right, c.pictures), share(c.wrong(), c.pictures), share(c.unreadable, c.pictures),
                     share(c.quality_right, c.pictures - c.unreadable), c.mean_residual, c.worst_misfit, problems);
}

template <class E, size_t N>
std::string confusion(const std::array<std::array<int64_t, N>, N>& counts) {
  std::string text;
  for (size_t from = 0; from < N; ++from)
    for (size_t to = 0; to < N; ++to)
      if (from != to && counts[from][to] > 0)
        text += fmt::format("  {} read as {}: {}\n", name_of(E(from)), name_of(E(to)), counts[from][to]);
  return text;
}

Json json_of(const Certificate& c) {
  Json json = Json::object(), problems = Json::object();
  json.set("damage", c.damage.name).set("pictures", c.pictures).set("right", c.right).set("wrong", c.wrong());
  json.set("unreadable", c.unreadable).set("quality_right", c.quality_right).set("mean_residual", c.mean_residual);
  for (const auto& [problem, count] : c.problems) problems.set(problem, count);
  return json.set("worst_misfit", c.worst_misfit).set("problems", std::move(problems));
}

void print(const std::vector<Certificate>& certificates) {
  std::printf("%-20s%9s%9s%12s%14s%11s%9s  %s\n", "%", "right", "wrong", "unreadable", "quality right", "residual",
              "misfit", "unreadable for");
  for (const Certificate& c : certificates) std::printf("%s", row(c).c_str());
  for (const Certificate& c : certificates) {
    const std::string mistakes = confusion<ShapeKind>(c.shapes) + confusion<Hue>(c.hues);
    if (!mistakes.empty()) std::printf("%s:\n%s", c.damage.name.c_str(), mistakes.c_str());
  }
}

}  // namespace

int run_certify(const Arguments& arguments) {
  std::string world_name = "tiny", damage;
  int64_t count = 6000;
  GlobalFlags global;
  Flags flags("shapes certify", "reads pictures of known content: how often the analyser is right, wrong and unsure");
  flags.add("--world", world_name, "tiny, full, a JSON file, or a data set's folder").shown_as("WORLD");
  flags.add("--count", count, "pictures of each kind of damage", between(1, 10'000'000));
  flags.add("--damage", damage, "one kind alone (clean, noise 1%, soft 0.5, …)").shown_as("NAME");
  flags.add_global(global);
  flags.example("plumb shapes certify --world tiny --count 60000 --damage clean");
  if (!flags.parse(arguments)) return kExitDone;
  apply_globals(global);
  const World world = load_world(world_name);
  const RandomKey key = RandomKey{.seed = uint64_t(global.seed)}.fork("shapes");
  std::vector<Certificate> certificates;
  for (const Damage& kind : damages())
    if (damage.empty() || kind.name == damage) certificates.push_back(certify(world, key, count, kind));
  require<UsageError>(!certificates.empty(), "shapes certify: there is no such damage ({}); give one of the table's",
                      damage);
  if (global.json) {
    Json json = Json::array();
    for (const Certificate& c : certificates) json.push_back(json_of(c));
    std::printf("%s\n", json.dump(1).c_str());
  } else {
    print(certificates);
  }
  return kExitDone;
}

}  // namespace plumb::shapes
