#include <cstdio>
#include <set>

#include "align/worlds/shapes/rewrite.h"
#include "apps/common/globals.h"
#include "apps/common/output_dir.h"
#include "apps/sample/prompts.h"
#include "apps/shapes/actions.h"
#include "engine/io/file.h"
#include "engine/require.h"

namespace plumb::shapes {

int run_rewrites(const Arguments& arguments) {
  std::string prompts, kind = "swap", world = "tiny";
  int64_t variants = 5;
  GlobalFlags global{.out = "rewrites.jsonl"};
  Flags flags("shapes rewrites", "writes degraded versions of prompts, as {\"prompt\", \"neg_prompts\"} lines");
  flags.add("--prompts", prompts, "file of prompts").shown_as("FILE").required();
  flags.add("--kind", kind, "swap an attribute, or ask for a blurry picture", one_of({"swap", "quality"}));
  flags.add("--world", world, "tiny, full, a JSON file, or a data set's folder").shown_as("WORLD");
  flags.add("--variants", variants, "at most, for each prompt", between(1, 100));
  flags.add_global(global);
  flags.example("plumb shapes rewrites --prompts prompts.jsonl --kind swap --out swap.jsonl");
  if (!flags.parse(arguments)) return kExitDone;
  apply_globals(global);
  require_writable_file(global.out);
  const World settings = load_world(world);
  const RandomKey key{.seed = uint64_t(global.seed)};
  std::set<std::string> known;
  std::string text;
  int64_t without = 0;
  for (const PicturePrompt& prompt : read_prompts(prompts)) {
    if (!known.insert(prompt.text).second) continue;
    Json list = Json::array();
    for (std::string& rewrite :
         kind == "swap" ? swap_rewrites(prompt.text, settings, key, variants) : quality_rewrites(prompt.text, variants))
      list.push_back(std::move(rewrite));
    if (list.size() == 0)
      ++without;
    else
      text += Json::object().set("prompt", prompt.text).set("neg_prompts", std::move(list)).dump() + '\n';
  }
  require<UsageError>(!text.empty(), "shapes rewrites: no prompt can be degraded ({})", prompts);
  write_file_atomic(global.out, text);
  if (!global.quiet)
    std::printf("%lld prompts, %lld of them without a worse version: %s\n", (long long)known.size(), (long long)without,
                global.out.c_str());
  return kExitDone;
}

}  // namespace plumb::shapes
