#include "apps/toy2d/study/search_log.h"

#include <filesystem>
#include <limits>

#include "apps/toy2d/report.h"
#include "engine/format.h"
#include "engine/io/json.h"
#include "engine/require.h"

namespace plumb::toy2d {
namespace {

std::string line_of(const SearchRecord& record) {
  Json json = Json::object();
  json.set("key", record.key).set("steps", list_of(record.steps)).set("sw2", list_of(record.sw2));
  return json.dump() + '\n';
}

SearchRecord record_of(std::string_view line, const std::string& where) {
  try {
    const Json json = Json::parse(line, where);
    SearchRecord record{.key = json.at("key").as_string()};
    for (const Json& step : json.at("steps").as_array()) record.steps.push_back(step.as_integer());
    for (const Json& value : json.at("sw2").as_array())
      record.sw2.push_back(value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.as_number());
    require<ValueError>(record.steps.size() == record.sw2.size(), "{}: steps and sw2 differ in length", where);
    return record;
  } catch (const Error& error) {
    raise<IoError>("search: {} is no line of a search ({}); move the file away to start again", where, error.what());
  }
}

}  // namespace

SearchLog::SearchLog(std::string path) : path_(std::move(path)) {
  const std::string text = std::filesystem::exists(path_) ? read_file(path_) : std::string();
  size_t whole = 0;
  for (size_t begin = 0, number = 1; begin < text.size(); ++number) {
    const size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;  // torn by a kill
    SearchRecord record =
        record_of(std::string_view(text).substr(begin, end - begin), fmt::format("{} line {}", path_, number));
    records_.insert_or_assign(record.key, std::move(record));
    begin = whole = end + 1;
  }
  if (whole < text.size()) write_file_atomic(path_, std::string_view(text).substr(0, whole));
  file_.emplace(path_);
}

bool SearchLog::contains(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  return records_.find(key) != records_.end();
}

const SearchRecord& SearchLog::at(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(key);
  require<ValueError>(found != records_.end(), "search: no such run ({})", key);
  return found->second;
}

void SearchLog::append(SearchRecord record) {
  const std::string line = line_of(record);
  const std::lock_guard lock(mutex_);
  file_->write(line);
  file_->sync();
  records_.insert_or_assign(record.key, std::move(record));
}

}  // namespace plumb::toy2d
