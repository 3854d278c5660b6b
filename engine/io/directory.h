#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/json.h"

namespace plumb {

/// A directory of files (a checkpoint) that appears complete or not at all.
///
/// Files go to a sibling ".NAME.tmp-PID". commit() syncs every file, writes manifest.json last, syncs the folder, and
/// gives it its name; an existing directory of that name is first renamed to ".NAME.old-PID", and removed at the very
/// end. At every instant either the old or the new directory is whole on disk, under its name or (between two renames)
/// as ".NAME.old-PID", from where remove_leftovers() puts it back. Without commit the sibling is removed.
///
/// manifest.json: {"format": "plumb-directory", "version": 1, ...fields of the caller...,
///   "files": {"NAME": {"size": N, "sha256": "HEX"}, ...}, "manifest_sha256": "HEX"}
/// The last is the hash of the manifest's text without that member, so a flipped bit anywhere is found.
/// All functions throw IoError naming path and reason.
class AtomicDirectory {
 public:
  /// Creates the sibling, and the parent of `target` if it is missing.
  explicit AtomicDirectory(std::filesystem::path target);
  AtomicDirectory(const AtomicDirectory&) = delete;
  AtomicDirectory& operator=(const AtomicDirectory&) = delete;
  ~AtomicDirectory();

  /// Writes a file. `name` is relative and may have folders ("unet/config.json"); it must not leave the directory.
  void add(std::string_view name, std::string_view bytes);
  /// Where another writer should put the file `name`; it is hashed at commit.
  std::filesystem::path file(std::string_view name);
  /// `fields` is an object without the names the manifest uses itself.
  void commit(const Json& fields = Json::object());

 private:
  Json describe_files(std::vector<std::filesystem::path>& folders) const;

  std::filesystem::path target_, temporary_;
  std::map<std::string, std::string> hashes_;  // of files that went through add()
};

/// Reads manifest.json and every file it lists; returns the manifest. Throws IoError naming the first file that is
/// missing, of another size, or of other content. Files that the manifest does not list are left alone.
Json verify_directory(const std::filesystem::path& directory);

/// Removes a directory so that no part of it is ever found under its name: it becomes ".NAME.tmp-PID" first, on disk
/// too. Throws IoError.
void remove_directory(const std::filesystem::path& directory);

/// Cleans `parent` after processes that were killed while writing: ".X.tmp-PID" is removed, ".X.old-PID" renamed back
/// to X when X is missing and removed otherwise. What belongs to a running process other than this one stays. Call
/// before writing. Returns the names dealt with.
std::vector<std::string> remove_leftovers(const std::filesystem::path& parent);

/// Holds a directory for one process, by a lock on its file ".lock" that ends with the process.
class DirectoryLock {
 public:
  /// Throws IoError when another process, or another lock of this one, has it.
  explicit DirectoryLock(const std::filesystem::path& directory);
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  ~DirectoryLock();

 private:
  int descriptor_ = -1;
};

}  // namespace plumb
