#include "apps/common/flag.h"

#include <algorithm>

namespace plumb {

Flag& Flag::alias(std::string other) {
  other.erase(0, other.find_first_not_of('-'));
  std::replace(other.begin(), other.end(), '-', '_');
  aliases.push_back(std::move(other));
  return *this;
}

Flag& Flag::shown_as(std::string text) {
  placeholder = std::move(text);
  return *this;
}

Flag& Flag::required() {
  is_required = true;
  return *this;
}

Flag& Flag::advanced() {
  is_advanced = true;
  return *this;
}

Flag& Flag::transient() {
  is_transient = true;
  return *this;
}

Flag& Flag::whole() {
  is_whole = true;
  return *this;
}

}  // namespace plumb
