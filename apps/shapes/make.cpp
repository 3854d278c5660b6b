#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "align/worlds/shapes/prompts.h"
#include "align/worlds/shapes/render.h"
#include "apps/common/globals.h"
#include "apps/common/output_dir.h"
#include "apps/common/progress.h"
#include "apps/common/signals.h"
#include "apps/shapes/actions.h"
#include "apps/shapes/write_tar.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/io/png.h"
#include "engine/parallel.h"
#include "engine/require.h"

namespace plumb::shapes {
namespace {

struct MakeSettings {
  std::string world = "tiny", split = "train", layout = "imagefolder";
  int64_t num_pictures = 50'000, shard_size = 5'000;
  bool clean_captions = false;
  GlobalFlags global{.out = "runs/shapes"};
};

/// A picture, encoded, and its row of metadata without the name.
struct Made {
  std::vector<uint8_t> png;
  Json row;
};

Made make_one(const World& world, const MakeSettings& s, int64_t index) {
  const RandomKey key = RandomKey{.seed = uint64_t(s.global.seed)}.fork("shapes").fork(s.split);
  const Example example = draw_example(world, key, index);
  Json row = Json::object();
  row.set("text", s.clean_captions ? example.clean : example.caption).set("clean", example.clean);
  row.set("category", name_of(example.category));
  return {encode_png(render(example.scene, world.picture_size)), std::move(row)};
}

/// Pictures [begin, end), on all threads.
std::vector<Made> make_some(const World& world, const MakeSettings& s, int64_t begin, int64_t end) {
  std::vector<Made> made(size_t(end - begin));
  parallel_for(end - begin, 16, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) made[size_t(i)] = make_one(world, s, begin + i);
  });
  return made;
}

void write_folder(const std::vector<Made>& made, int64_t begin, const OutputDir& out, std::string& metadata) {
  for (size_t i = 0; i < made.size(); ++i) {
    const std::string name = fmt::format("pictures/{:06}.png", begin + int64_t(i));
    AtomicFile file(out / name);
    file.write(made[i].png.data(), made[i].png.size());
    file.commit(Durability::left_to_system);
    Json row = Json::object();
    row.set("file_name", name);
    for (const auto& [key, value] : made[i].row.as_object()) row.set(key, value);
    metadata += row.dump() + '\n';
  }
}

void write_shard(const std::vector<Made>& made, int64_t begin, const std::string& path) {
  TarWriter tar(path);
  for (size_t i = 0; i < made.size(); ++i) {
    const std::string stem = fmt::format("{:06}", begin + int64_t(i));
    const auto* bytes = reinterpret_cast<const char*>(made[i].png.data());
    tar.add(stem + ".png", {bytes, made[i].png.size()});
    tar.add(stem + ".json", made[i].row.dump());
  }
  tar.commit();
}

/// Pictures of an earlier run that stay would become part of the new data set.
void require_no_pictures(const OutputDir& out) {
  for (const auto& entry : std::filesystem::directory_iterator(out.path())) {
    const std::string name = entry.path().filename();
    require<UsageError>(name != "pictures" && name != "metadata.jsonl" && entry.path().extension() != ".tar",
                        "shapes make: the output folder holds pictures already ({}); empty it or give another --out",
                        entry.path().string());
  }
}

/// Returns the exit code. The metadata come last: a run that was stopped leaves no data set that looks whole.
int make(const World& world, const MakeSettings& s, const OutputDir& out) {
  const bool folder = s.layout == "imagefolder";
  if (folder) std::filesystem::create_directories(out / "pictures");
  Progress progress({.description = "Pictures", .total = s.num_pictures, .quiet = s.global.quiet});
  const StopOnSignal stop;
  const int64_t step = folder ? 1024 : s.shard_size;
  std::string metadata;
  for (int64_t begin = 0; begin < s.num_pictures; begin += step) {
    if (stop.requested()) return stop.exit_code();
    const std::vector<Made> made = make_some(world, s, begin, std::min(begin + step, s.num_pictures));
    if (folder)
      write_folder(made, begin, out, metadata);
    else
      write_shard(made, begin, out / fmt::format("{}-{:06}.tar", s.split, begin / step));
    progress.update(begin + int64_t(made.size()));
  }
  if (folder) write_file_atomic(out / "metadata.jsonl", metadata);
  return kExitDone;
}

void add_flags(Flags& flags, MakeSettings& s) {
  flags.add("--world", s.world, "tiny, full, or a JSON file").shown_as("WORLD");
  flags.add("--num_pictures", s.num_pictures, "pictures", between(1, 10'000'000));
  flags.add("--split", s.split, "the two never share a picture", one_of({"train", "validation"}));
  flags.add("--clean_captions", s.clean_captions, "captions without the world's noise");
  flags.add("--layout", s.layout, "pictures with metadata.jsonl, or .tar files", one_of({"imagefolder", "webdataset"}));
  flags.add("--shard_size", s.shard_size, "pictures a .tar file", between(1, 100'000)).advanced();
  flags.add_global(s.global);
  flags.example("plumb shapes make --world tiny --num_pictures 50000 --layout webdataset --out runs/shapes/data");
}

}  // namespace

int run_make(const Arguments& arguments) {
  MakeSettings s;
  Flags flags("shapes make", "writes a data set of captioned shapes; captions are noisy as the world says");
  add_flags(flags, s);
  if (!flags.parse(arguments)) return kExitDone;
  apply_globals(s.global);
  const World world = load_world(s.world);
  const OutputDir out(s.global.out);
  require_no_pictures(out);
  write_config(out / "config.toml", "shapes make", flags.resolved());
  write_file_atomic(out / "world.json", to_json(world).dump(1) + '\n');
  const int code = make(world, s, out);
  if (code == kExitDone && !s.global.quiet)
    std::printf("%lld pictures of %lldx%lld with %s captions: %s\n", (long long)s.num_pictures,
                (long long)world.picture_size, (long long)world.picture_size, s.clean_captions ? "clean" : "noisy",
                s.global.out.c_str());
  return code;
}

}  // namespace plumb::shapes
