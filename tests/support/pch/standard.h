// Read once a target in sanitizer builds (meson.build), where most of the time goes into headers. Files still include
// what they use: the ordinary build has no such header.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>
