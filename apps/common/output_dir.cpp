#include "apps/common/output_dir.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "apps/common/exit_codes.h"
#include "engine/require.h"

namespace plumb {
namespace {

template <class Call>
int without_interruption(Call&& call) {
  int result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// access() says yes to root and to a read-only file system; only writing proves it. The name is ours alone, and one
// that remove_leftovers() knows if we are killed here.
void prove_writable(const std::string& directory) {
  std::string probe = fmt::format("{}/.probe.tmp-{}", directory, getpid());
  int file = without_interruption(
      [&] { return open(probe.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600); });
  bool written = file >= 0 && without_interruption([&] { return int(write(file, "x", 1)); }) == 1;
  int failure = errno;
  if (file >= 0) close(file), unlink(probe.c_str());
  require<UsageError>(written, "the output folder cannot be written ({}: {}); give another --out", directory,
                      std::strerror(failure));
}

}  // namespace

OutputDir::OutputDir(std::string path) : path_(std::move(path)) {
  require<UsageError>(!path_.empty(), "the output folder has no name (--out is empty); give --out DIR");
  std::error_code failure;
  std::filesystem::create_directories(path_, failure);
  require<UsageError>(!failure, "the output folder cannot be created ({}: {}); give another --out", path_,
                      failure.message());
  require<UsageError>(std::filesystem::is_directory(path_, failure),
                      "the output folder is a file ({}); give another --out", path_);
  prove_writable(path_);
  lock_.emplace(path_);
  remove_leftovers(path_);
}

std::string operator/(const OutputDir& directory, std::string_view name) {
  return fmt::format("{}{}{}", directory.path(), directory.path().ends_with('/') ? "" : "/", name);
}

void require_writable_file(const std::string& path) {
  require<UsageError>(!path.empty(), "the output file has no name (--out is empty); give --out FILE");
  std::error_code ignored;
  require<UsageError>(!std::filesystem::is_directory(path, ignored),
                      "the output file is a folder ({}); give --out FILE", path);
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored)) return;  // /dev/null
  std::string directory = std::filesystem::path(path).parent_path().string();
  prove_writable(directory.empty() ? "." : directory);
}

}  // namespace plumb
