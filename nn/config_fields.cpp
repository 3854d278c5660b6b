#include "nn/config_fields.h"

#include "engine/require.h"

namespace plumb {
namespace {

bool same(const Json& a, const Json& b) {
  auto is_number = [](const Json& j) { return j.kind() == Json::Kind::integer || j.kind() == Json::Kind::number; };
  return is_number(a) && is_number(b) ? a.as_number() == b.as_number() : a == b;
}

}  // namespace

bool check_config_default(const char* class_name, std::initializer_list<ConfigDefault> defaults,
                          const JsonMember& member) {
  for (const ConfigDefault& each : defaults) {
    if (member.key != each.key) continue;
    require<ValueError>(member.value.is_null() || same(member.value, each.value),
                        "{} config: {} is not supported unless it is {} ({})", class_name, member.key,
                        each.value.dump(), member.value.dump());
    return true;
  }
  return false;
}

}  // namespace plumb
