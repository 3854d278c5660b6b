#pragma once

#include "engine/io/directory.h"

#include <optional>
#include <string>
#include <string_view>

namespace plumb {

/// The folder of a run's results. Made before any work, so that a run that could not save never starts:
///
///   OutputDir out(settings.global.out);
///   write_config(out / "config.toml", "toy2d", flags.resolved());
///
/// Files of an earlier run are replaced one by one as the new ones are finished, and what a killed one left half
/// written is removed. The folder is locked while the object lives: a second run into it is refused.
class OutputDir {
 public:
  /// Creates the folder and its parents and proves that a file can be written there. Throws UsageError when it cannot,
  /// and when the path is empty or a file; IoError when another run holds the folder.
  explicit OutputDir(std::string path);

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::optional<DirectoryLock> lock_;
};

/// The path of a file in the folder.
std::string operator/(const OutputDir& directory, std::string_view name);

/// Throws UsageError unless a file can be written at `path` (its folder exists and is writable, it is no folder), for
/// verbs whose --out is a file; to be called before any work.
void require_writable_file(const std::string& path);

}  // namespace plumb
