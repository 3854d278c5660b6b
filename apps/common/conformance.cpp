#include "apps/common/conformance.h"

#include <cstdio>

#include "apps/common/exit_codes.h"
#include "apps/common/run_guarded.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/require.h"

namespace plumb {
namespace {

const Metadata kMetadata = {{"format", "pt"}};  // Python readers want it

int64_t case_number(const Json& entry, const char* number_key, size_t position) {
  const Json* number = entry.is_object() ? entry.find(number_key) : nullptr;
  require<ValueError>(number && number->kind() == Json::Kind::integer && number->as_integer() >= 0,
                      "cases.json: entry {} has no case number \"{}\"", position, number_key);
  return number->as_integer();
}

}  // namespace

int run_cases(const std::string& directory, const char* number_key,
              const std::function<TensorMap(const Json& entry, const TensorMap& inputs)>& run) {
  const std::string list = directory + "/cases.json";
  const Json cases = Json::parse(read_file(list), list);
  require<ValueError>(cases.is_array(), "cases.json: must be a list of cases ({})", list);
  size_t failed = 0;
  for (size_t i = 0; i < cases.size(); ++i) {
    try {
      const int64_t number = case_number(cases[i], number_key, i);
      const std::string stem = fmt::format("{}/{}", directory, number);
      // Thousands of small files that can be made again: waiting for the disk at each would take longer than the ops.
      save_safetensors(stem + ".out.safetensors", run(cases[i], load_safetensors(stem + ".in.safetensors")), kMetadata,
                       Durability::left_to_system);
    } catch (const Error& error) {
      ++failed;
      std::fprintf(stderr, "plumb: error: case %zu: %s\n", i, one_line(error.what()).c_str());
    }
  }
  return failed == 0 ? kExitDone : kExitUsage;
}

}  // namespace plumb
