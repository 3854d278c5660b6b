#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>

#include "align/worlds/shapes/draws.h"
#include "apps/common/globals.h"
#include "apps/common/output_dir.h"
#include "apps/shapes/actions.h"
#include "apps/shapes/shots.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/io/png.h"
#include "engine/require.h"

namespace plumb::shapes {
namespace {

struct PreferenceSettings {
  std::vector<std::string> images;
  std::string world = "tiny";
  int64_t group = 4;
  double temperature = 0.1, tie = 0.05, quality = 0.2;
  GlobalFlags global{.out = "runs/preferences"};
};

/// Two pictures of one prompt, the first preferred.
struct Preference {
  const Shot *winner, *loser;
};

struct Labelled {
  std::vector<Preference> pairs;
  int64_t groups = 0, ties = 0, against = 0, left_over = 0;
};

double utility(const Shot& shot, const PreferenceSettings& s) {
  return shot.score.partial + s.quality * shot.score.quality;
}

/// All pairs of a group. The label is drawn: the first wins with probability 1 / (1 + exp(-(u_a - u_b) / temperature))
/// (Bradley and Terry 1952).
void label(const std::vector<const Shot*>& group, const PreferenceSettings& s, Draws& draws, Labelled& out) {
  for (size_t a = 0; a < group.size(); ++a)
    for (size_t b = a + 1; b < group.size(); ++b) {
      const double difference = utility(*group[a], s) - utility(*group[b], s);
      const bool first = draws.chance(1 / (1 + std::exp(-difference / s.temperature)));
      if (std::abs(difference) < s.tie) {
        ++out.ties;
        continue;
      }
      out.against += first != (difference > 0);
      out.pairs.push_back(first ? Preference{group[a], group[b]} : Preference{group[b], group[a]});
    }
}

/// Pictures by prompt; of equal prompts as many groups as there are pictures for. Folders take turns, so that a group
/// holds pictures of all of them.
Labelled label_all(const std::vector<std::vector<Shot>>& folders, const PreferenceSettings& s) {
  std::map<std::string, std::vector<std::vector<const Shot*>>> by_prompt;
  for (size_t f = 0; f < folders.size(); ++f)
    for (const Shot& shot : folders[f]) {
      auto& lists = by_prompt[shot.prompt];
      lists.resize(folders.size());
      lists[f].push_back(&shot);
    }
  Labelled out;
  const RandomKey key = RandomKey{.seed = uint64_t(s.global.seed)}.fork("preferences");
  for (const auto& [prompt, lists] : by_prompt) {
    std::vector<const Shot*> mixed;
    for (size_t i = 0, taken = 1; taken > 0; ++i) {
      taken = 0;
      for (const auto& list : lists)
        if (i < list.size()) mixed.push_back(list[i]), ++taken;
    }
    Draws draws(key.fork(prompt));
    const size_t size = size_t(s.group), groups = mixed.size() / size;
    for (size_t g = 0; g < groups; ++g)
      label({mixed.begin() + std::ptrdiff_t(g * size), mixed.begin() + std::ptrdiff_t((g + 1) * size)}, s, draws, out);
    out.groups += int64_t(groups);
    out.left_over += int64_t(mixed.size() - groups * size);
  }
  return out;
}

/// Each picture is written once, however many pairs it is in.
class PictureFiles {
 public:
  explicit PictureFiles(const OutputDir& out) : out_(out) { std::filesystem::create_directories(out / "pictures"); }

  const std::string& name_of(const Shot& shot) {
    const auto [place, is_new] = names_.emplace(shot.path, fmt::format("pictures/{:06}.png", names_.size()));
    if (is_new) {
      const std::vector<uint8_t> bytes = encode_png(shot.image);
      AtomicFile file(out_ / place->second);
      file.write(bytes.data(), bytes.size());
      file.commit(Durability::left_to_system);
    }
    return place->second;
  }

 private:
  const OutputDir& out_;
  std::map<std::string, std::string> names_;
};

void write_preferences(const Labelled& labelled, const OutputDir& out) {
  PictureFiles files(out);
  std::string metadata;
  for (size_t i = 0; i < labelled.pairs.size(); ++i) {
    const auto& [winner, loser] = labelled.pairs[i];
    Json row = Json::object();
    row.set("id", fmt::format("{:06}", i)).set("prompt", winner->prompt);
    row.set("pos_file", files.name_of(*winner)).set("neg_file", files.name_of(*loser));
    row.set("pos_partial", winner->score.partial).set("neg_partial", loser->score.partial);
    metadata += row.dump() + '\n';
  }
  write_file_atomic(out / "metadata.jsonl", metadata);
}

void add_flags(Flags& flags, PreferenceSettings& s) {
  flags.add("--images", s.images, "folder of pictures, as plumb sample writes it; once for each model")
      .whole()
      .required();
  flags.add("--world", s.world, "tiny, full, a JSON file, or a data set's folder").shown_as("WORLD");
  flags.add("--group", s.group, "pictures of a prompt that are compared with each other", between(2, 64));
  flags.add("--temperature", s.temperature, "of the Bradley-Terry labels; small: hardly ever wrong", positive());
  flags.add("--tie", s.tie, "pairs whose scores differ by less are dropped", non_negative());
  flags.add("--quality", s.quality, "weight of the picture's quality beside its partial credit", non_negative());
  flags.add_global(s.global);
  flags.example("plumb shapes preferences --images runs/a --images runs/b --out runs/preferences");
}

}  // namespace

int run_preferences(const Arguments& arguments) {
  PreferenceSettings s;
  Flags flags("shapes preferences", "a labelled preference set from scored pictures, with the errors of a human judge");
  add_flags(flags, s);
  if (!flags.parse(arguments)) return kExitDone;
  apply_globals(s.global);
  const World world = load_world(s.world);
  std::vector<std::vector<Shot>> folders;
  for (const std::string& folder : s.images) folders.push_back(read_shots(folder, world));
  const Labelled labelled = label_all(folders, s);
  require<UsageError>(!labelled.pairs.empty(),
                      "shapes preferences: no pair is left of {} groups of {} pictures, {} ties; give more pictures a "
                      "prompt or a smaller --tie",
                      labelled.groups, s.group, labelled.ties);
  const OutputDir out(s.global.out);
  write_config(out / "config.toml", "shapes preferences", flags.resolved());
  write_preferences(labelled, out);
  if (!s.global.quiet)
    std::printf(
        "%zu pairs of %lld groups; %lld ties dropped, %lld labels against the score, %lld pictures left over: %s\n",
        labelled.pairs.size(), (long long)labelled.groups, (long long)labelled.ties, (long long)labelled.against,
        (long long)labelled.left_over, s.global.out.c_str());
  return kExitDone;
}

}  // namespace plumb::shapes
