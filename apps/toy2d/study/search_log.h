#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "apps/toy2d/study/run.h"
#include "engine/io/file.h"

namespace plumb::toy2d {

/// A finished run of the search: sw2 after each number of steps, in the order of the checkpoints. Steps that were not
/// reached, because the loss stopped being finite, are absent.
struct SearchRecord {
  std::string key;  ///< everything the numbers depend on, as text
  std::vector<int64_t> steps = {};
  std::vector<double> sw2 = {};
};

/// The results of a search as they come in: FILE holds a JSON object a line, {"key", "steps", "sw2"}. Each line is on
/// disk before append() returns, so a killed search loses no finished run. Opening drops a torn last line. Threads may
/// share one.
class SearchLog {
 public:
  /// Reads what is there, if anything. Throws IoError, also for a whole line that is not such an object.
  explicit SearchLog(std::string path);

  bool contains(const std::string& key) const;
  /// The record under that key. Throws ValueError when there is none.
  const SearchRecord& at(const std::string& key) const;
  /// Throws IoError.
  void append(SearchRecord record);

 private:
  std::string path_;
  std::optional<AppendedFile> file_;
  mutable std::mutex mutex_;
  std::map<std::string, SearchRecord> records_;
};

}  // namespace plumb::toy2d
