// Read once a target in sanitizer builds (meson.build), where most of the time goes into headers. Files still include
// what they use: the ordinary build has no such header. Nothing here may bring std::quoted, which calls of plumb's
// would find (<filesystem>, <iomanip>).
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>
