#include "engine/error.h"
#include "engine/io/json.h"
#include "tests/fuzz/check.h"

// Any text is either refused with IoError, or reads back equal from what we write.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  plumb::Json json;
  try {
    json = plumb::Json::parse(text);
  } catch (const plumb::IoError&) {
    return 0;
  }
  const std::string written = json.dump();
  check(plumb::Json::parse(written) == json);
  check(plumb::Json::parse(written).dump() == written);
  check(plumb::Json::parse(json.dump(2)) == json);
  return 0;
}
