#include "apps/inspect/inspect.h"

#include <cstdio>

#include "apps/inspect/describe.h"

namespace plumb {

int run_inspect(const Arguments& arguments) {
  std::string path;
  GlobalFlags global;
  bool tensors = false;
  Flags flags("inspect", "lists and verifies a safetensors file, a checkpoint, a folder of a model, adapter or run");
  flags.positional("path", path, "file or folder").required();
  flags.add("--tensors", tensors, "list the tensors of models too").transient();
  flags.add_global(global);
  flags.example("plumb inspect runs/train/model");
  if (!flags.parse(arguments)) return kExitDone;
  const Json description = describe_path(path);
  const std::string text = global.json ? description.dump(2) + "\n" : format_description(description, tensors);
  std::fputs(text.c_str(), stdout);
  return kExitDone;
}

}  // namespace plumb
