#include "align/worlds/shapes/prompts.h"

#include <cstdio>

#include "apps/common/globals.h"
#include "apps/common/output_dir.h"
#include "apps/shapes/actions.h"
#include "engine/io/file.h"

namespace plumb::shapes {

int run_prompts(const Arguments& arguments) {
  std::string world = "tiny";
  int64_t count = 600;
  PromptOptions options;
  GlobalFlags global{.out = "prompts.jsonl"};
  Flags flags("shapes prompts", "writes prompts, one JSON object a line, for `plumb sample --prompts`");
  flags.add("--world", world, "tiny, full, a JSON file, or a data set's folder").shown_as("WORLD");
  flags.add("--count", count, "prompts, balanced over the six categories", between(1, 1'000'000));
  using HeldOut = PromptOptions::HeldOut;
  flags.add_choice("--held_out", options.held_out,
                   {{"without", HeldOut::without}, {"with", HeldOut::with}, {"only", HeldOut::only}},
                   "openings and colour-shape pairs that training never has");
  flags.add("--duplicates", options.duplicates, "share of prompts that repeat an earlier one", between(0, 1));
  flags.add_global(global);
  flags.example("plumb shapes prompts --world runs/shapes/data --count 600 --out prompts.jsonl");
  if (!flags.parse(arguments)) return kExitDone;
  apply_globals(global);
  const RandomKey key = RandomKey{.seed = uint64_t(global.seed)}.fork("shapes");
  const std::vector<std::string> prompts = draw_prompts(load_world(world), key, count, options);
  require_writable_file(global.out);
  std::string text;
  for (const std::string& prompt : prompts) text += Json::object().set("prompt", prompt).dump() + '\n';
  write_file_atomic(global.out, text);
  if (!global.quiet) std::printf("%zu prompts: %s\n", prompts.size(), global.out.c_str());
  return kExitDone;
}

}  // namespace plumb::shapes
