#pragma once

#include <fcntl.h>

#include <filesystem>
#include <utility>

/// Internal to engine/io: thin RAII over file descriptors. Interrupted calls are repeated.

namespace plumb::posix {

/// Throws IoError "OP: EXPECTATION (strerror); PATH" from errno.
[[noreturn]] void raise_errno(const char* op, const char* expectation, const std::filesystem::path& path);

class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor();
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

/// open(2), always close-on-exec.
Descriptor open_file(const char* op, const std::filesystem::path& path, int flags);
/// Writes all of it.
void write_all(const char* op, int descriptor, const void* data, size_t size, const std::filesystem::path& path);
/// read(2): bytes read, 0 at the end.
size_t read_some(const char* op, int descriptor, void* data, size_t size, const std::filesystem::path& path);
void sync(const char* op, int descriptor, const std::filesystem::path& path);
void sync_directory(const char* op, const std::filesystem::path& directory);
void rename(const char* op, const std::filesystem::path& from, const std::filesystem::path& to);
/// The folder `path` is in; "." for a bare name.
std::filesystem::path parent_of(const std::filesystem::path& path);
/// ".NAME.KIND-PID" beside `path`: where something is before it gets its name, or after it lost it.
std::filesystem::path sibling(const std::filesystem::path& path, const char* kind);

}  // namespace plumb::posix
