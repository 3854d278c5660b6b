#include "engine/io/directory.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include "engine/error.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/io/posix.h"
#include "engine/io/sha256.h"
#include "engine/io/system_error.h"
#include "engine/parallel.h"
#include "engine/require.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kManifest = "manifest.json";
constexpr std::string_view kFormat = "plumb-directory";
constexpr uint64_t kManifestLimit = uint64_t(256) << 20;

// Names in a manifest come from a file, so they are checked on the way in and on the way out.
void check_name(const char* op, std::string_view name) {
  const fs::path path(name);
  bool inside = !name.empty() && path.is_relative() && path.has_filename() && name.find('\0') == name.npos;
  for (const fs::path& part : path) inside = inside && part != ".." && part != "." && !part.empty();
  require<IoError>(inside && name != kManifest, "{}: name must be a file inside the directory; \"{}\"", op, name);
}

std::string hash_file(const char* op, const fs::path& path, uint64_t& size) {
  const posix::Descriptor file = posix::open_file(op, path, O_RDONLY | O_NOFOLLOW);
  Sha256 hash;
  std::vector<char> buffer(1 << 20);
  size = 0;
  while (const size_t count = posix::read_some(op, file.get(), buffer.data(), buffer.size(), path)) {
    hash.update(buffer.data(), count);
    size += count;
  }
  return hash.finish_hex();
}

std::string manifest_text(Json manifest) {
  const std::string hash = sha256_hex(manifest.dump(2));
  return manifest.set("manifest_sha256", hash).dump(2) + "\n";
}

// Errors of std::filesystem in our own type; those that name no path happened in `directory`.
template <class F>
auto as_io_error(const char* op, const fs::path& directory, F&& action) {
  try {
    return action();
  } catch (const fs::filesystem_error& error) {
    const fs::path& path = error.path1().empty() ? directory : error.path1();
    raise_io_error(error.code().value(),
                   fmt::format("{}: directory cannot be changed ({}); {}", op, error.code().message(), path.string()));
  }
}

void remove_quietly(const fs::path& path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

/// Large files are read by several threads, each its own.
template <class F>
void each_file(const std::vector<uint64_t>& sizes, F&& action) {
  constexpr uint64_t kWorthAThread = uint64_t(8) << 20;
  uint64_t total = 0;
  for (const uint64_t size : sizes) total += std::min(size, kWorthAThread);
  const auto count = int64_t(sizes.size());
  parallel_for(count, total < kWorthAThread ? count : 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) action(size_t(i));
  });
}

void verify_file(const fs::path& directory, const std::string& name, const Json& expected) {
  check_name("verify", name);
  const fs::path path = directory / name;
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) posix::raise_errno("verify", "file cannot be examined", path);
  require<IoError>(S_ISREG(status.st_mode), "verify: file must be a regular file; {}", path.string());
  require<IoError>(status.st_size == expected.at("size").as_integer(), "verify: file must have {} bytes ({}); {}",
                   expected.at("size").as_integer(), status.st_size, path.string());
  uint64_t size = 0;
  const std::string hash = hash_file("verify", path, size);
  require<IoError>(hash == expected.at("sha256").as_string(), "verify: file must have SHA-256 {} ({}); {}",
                   expected.at("sha256").as_string(), hash, path.string());
}

struct Leftover {
  std::string name;  // of the target
  bool is_old;
  pid_t process;
};

std::optional<Leftover> parse_leftover(std::string_view entry) {
  for (const std::string_view kind : {".tmp-", ".old-"}) {
    const size_t at = entry.rfind(kind);
    if (!entry.starts_with('.') || at == entry.npos || at < 2) continue;
    const std::string_view digits = entry.substr(at + kind.size());
    pid_t process = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), process);
    if (error != std::errc() || end != digits.data() + digits.size() || process <= 0) continue;
    return Leftover{std::string(entry.substr(1, at - 1)), kind == ".old-", process};
  }
  return std::nullopt;
}

bool runs_elsewhere(pid_t process) { return process != ::getpid() && (::kill(process, 0) == 0 || errno == EPERM); }

}  // namespace

AtomicDirectory::AtomicDirectory(fs::path target) : target_(std::move(target)) {
  if (!target_.has_filename()) target_ = target_.parent_path();  // "name/"
  require<IoError>(target_.has_filename() && target_.filename() != "." && target_.filename() != "..",
                   "write: path must name a directory; {}", target_.string());
  const fs::path temporary = posix::sibling(target_, "tmp");
  as_io_error("write", target_, [&] {
    require<IoError>(!fs::exists(fs::symlink_status(target_)) || fs::is_directory(fs::symlink_status(target_)),
                     "write: path must be a directory or free; {}", target_.string());
    fs::create_directories(posix::parent_of(target_));
    fs::remove_all(temporary);  // of a killed process that had this number
    fs::create_directory(temporary);
  });
  temporary_ = temporary;
}

AtomicDirectory::~AtomicDirectory() {
  if (!temporary_.empty()) remove_quietly(temporary_);
}

fs::path AtomicDirectory::file(std::string_view name) {
  check_name("write", name);
  fs::path path = temporary_ / name;
  as_io_error("write", target_, [&] { fs::create_directories(path.parent_path()); });
  return path;
}

void AtomicDirectory::add(std::string_view name, std::string_view bytes) {
  const fs::path path = file(name);
  const posix::Descriptor out = posix::open_file("write", path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
  posix::write_all("write", out.get(), bytes.data(), bytes.size(), path);
  hashes_[std::string(name)] = sha256_hex(bytes);
}

// Syncs every file; the folders, deepest last, are for the caller to sync after the manifest.
Json AtomicDirectory::describe_files(std::vector<fs::path>& folders) const {
  std::vector<std::string> names;
  folders.push_back(temporary_);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(temporary_)) {
    const fs::file_status status = entry.symlink_status();
    require<IoError>(fs::is_directory(status) || fs::is_regular_file(status),
                     "write: a checkpoint holds regular files and folders only; {}", entry.path().string());
    if (fs::is_directory(status))
      folders.push_back(entry.path());
    else
      names.push_back(entry.path().lexically_relative(temporary_).generic_string());
  }
  std::sort(names.begin(), names.end());
  std::vector<Json> found(names.size());
  std::vector<uint64_t> sizes;
  for (const std::string& name : names) sizes.push_back(fs::file_size(temporary_ / name));
  each_file(sizes, [&](size_t i) {
    const fs::path path = temporary_ / names[i];
    const auto known = hashes_.find(names[i]);
    const std::string hash = known != hashes_.end() ? known->second : hash_file("write", path, sizes[i]);
    posix::sync("write", posix::open_file("write", path, O_RDONLY | O_NOFOLLOW).get(), path);
    found[i] = Json::object().set("size", sizes[i]).set("sha256", hash);
  });
  Json files = Json::object();
  for (size_t i = 0; i < names.size(); ++i) files.set(names[i], found[i]);
  return files;
}

void AtomicDirectory::commit(const Json& fields) {
  Json manifest = Json::object().set("format", kFormat).set("version", 1);
  for (const JsonMember& field : fields.as_object()) {
    require<ValueError>(!manifest.find(field.key) && field.key != "files" && field.key != "manifest_sha256",
                        "write: a manifest field must not be named \"{}\"", field.key);
    manifest.set(field.key, field.value);
  }
  std::vector<fs::path> folders;
  as_io_error("write", target_, [&] { manifest.set("files", describe_files(folders)); });
  const std::string text = manifest_text(std::move(manifest));
  {
    const fs::path path = temporary_ / kManifest;
    const posix::Descriptor out = posix::open_file("write", path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    posix::write_all("write", out.get(), text.data(), text.size(), path);
    posix::sync("write", out.get(), path);
  }
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) posix::sync_directory("write", *folder);

  const fs::path old = posix::sibling(target_, "old");
  const bool replaces = as_io_error("write", target_, [&] { return fs::exists(fs::symlink_status(target_)); });
  if (replaces) {
    remove_quietly(old);
    posix::rename("write", target_, old);
  }
  try {
    posix::rename("write", temporary_, target_);
  } catch (...) {
    if (replaces) ::rename(old.c_str(), target_.c_str());
    throw;
  }
  temporary_.clear();
  posix::sync_directory("write", posix::parent_of(target_));
  if (replaces) remove_quietly(old);
}

Json verify_directory(const fs::path& directory) {
  const fs::path path = directory / kManifest;
  const std::string text = read_file(path, kManifestLimit);
  Json manifest = Json::parse(text, path.string());
  try {
    const std::string hash = manifest.at("manifest_sha256").as_string();
    Json rest = manifest;
    rest.erase("manifest_sha256");
    require<IoError>(manifest_text(rest) == text, "verify: manifest must match its own hash; {}", path.string());
    require<IoError>(manifest.at("format").as_string() == kFormat && manifest.at("version").as_integer() == 1,
                     "verify: manifest must be {} version 1 ({} version {}); {}", kFormat,
                     manifest.at("format").as_string(), manifest.at("version").as_integer(), path.string());
    const auto& files = manifest.at("files").as_object();
    std::vector<uint64_t> sizes;
    for (const JsonMember& file : files) sizes.push_back(uint64_t(file.value.at("size").as_integer()));
    each_file(sizes, [&](size_t i) { verify_file(directory, files[i].key, files[i].value); });
  } catch (const ValueError& error) {
    raise<IoError>("verify: manifest is malformed ({}); {}", error.what(), path.string());
  }
  return manifest;
}

void remove_directory(const fs::path& directory) {
  const fs::path doomed = posix::sibling(directory, "tmp");
  as_io_error("remove", directory, [&] { fs::remove_all(doomed); });  // of a killed process that had this number
  posix::rename("remove", directory, doomed);
  posix::sync_directory("remove", posix::parent_of(directory));
  as_io_error("remove", directory, [&] { fs::remove_all(doomed); });
}

std::vector<std::string> remove_leftovers(const fs::path& parent) {
  std::vector<std::string> handled;
  as_io_error("clean", parent, [&] {
    std::vector<fs::path> entries;
    for (const fs::directory_entry& entry : fs::directory_iterator(parent)) entries.push_back(entry.path());
    std::sort(entries.begin(), entries.end());
    for (const fs::path& path : entries) {
      const std::optional<Leftover> leftover = parse_leftover(path.filename().string());
      if (!leftover || runs_elsewhere(leftover->process)) continue;
      const fs::path target = parent / leftover->name;
      if (leftover->is_old && !fs::exists(fs::symlink_status(target)))
        posix::rename("clean", path, target);
      else
        fs::remove_all(path);
      handled.push_back(path.filename().string());
    }
  });
  if (!handled.empty()) posix::sync_directory("clean", parent);
  return handled;
}

DirectoryLock::DirectoryLock(const fs::path& directory) {
  const fs::path path = directory / ".lock";
  posix::Descriptor file = posix::open_file("lock", path, O_RDWR | O_CREAT | O_NOFOLLOW);
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    require<IoError>(errno != EWOULDBLOCK, "lock: directory is in use by another process; {}", directory.string());
    posix::raise_errno("lock", "directory cannot be locked", path);
  }
  descriptor_ = file.release();
}

DirectoryLock::~DirectoryLock() { ::close(descriptor_); }

}  // namespace plumb
