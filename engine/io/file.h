#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace plumb {

/// Every function here throws IoError naming the path, what failed and the system's words for it.

inline constexpr uint64_t kDefaultReadLimit = uint64_t(1) << 30;

/// The bytes of a file, at most `limit` of them: a longer file is refused. Works for pipes as well.
std::string read_file(const std::filesystem::path& path, uint64_t limit = kDefaultReadLimit);

/// `size` bytes of a regular file from `begin` on. A file that ends before is an error.
std::string read_range(const std::filesystem::path& path, uint64_t begin, uint64_t size);

/// A regular file mapped into memory, copy-on-write: the bytes may be changed here without touching the file.
/// The file must not be truncated while mapped (replacing it by rename, as all writers here do, is fine).
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<uint8_t> bytes() { return {data_, size_}; }
  std::span<const uint8_t> bytes() const { return {data_, size_}; }

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

/// Whether a commit waits for the disk. Either way every process sees the old file or the whole new one; after a power
/// cut a file left to the system may be found empty or missing. Waiting costs milliseconds a file.
enum class Durability { synced, left_to_system };

/// A file that appears complete or not at all. Bytes go to a sibling ".NAME.tmp-PID"; commit() syncs it to disk,
/// renames it to its name and syncs the folder. Without commit the sibling is removed and an existing file stays as it
/// was. A path that is not a regular file (/dev/null, a pipe) or lies in /dev (/dev/shm apart) is written in place.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(const void* data, size_t size);
  void write(std::string_view bytes) { write(bytes.data(), bytes.size()); }
  void commit(Durability durability = Durability::synced);

 private:
  std::filesystem::path path_, written_;  // written_ == path_: in place
  int descriptor_ = -1;
};

/// A file that grows at its end (a log), made if it is missing. Each write() hands all its bytes to the system before
/// it returns, so that a killed process loses none.
class AppendedFile {
 public:
  explicit AppendedFile(std::filesystem::path path);
  AppendedFile(const AppendedFile&) = delete;
  AppendedFile& operator=(const AppendedFile&) = delete;
  ~AppendedFile();

  void write(std::string_view bytes);
  /// Waits until they are on disk. Nothing to wait for in a pipe or device.
  void sync();

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

/// An AtomicFile written and committed.
void write_file_atomic(const std::filesystem::path& path, std::string_view bytes);
void write_file_atomic(const std::filesystem::path& path, std::span<const uint8_t> bytes);

}  // namespace plumb
