#include "engine/io/posix.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "engine/format.h"
#include "engine/io/system_error.h"

namespace plumb {

void raise_io_error(int code, const std::string& message) {
  for (const int ours : {EIO, ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM, ENODEV, ENXIO, ESTALE, EAGAIN, ENOLCK})
    if (code == ours) throw SystemError(message);
  throw IoError(message);
}

}  // namespace plumb

namespace plumb::posix {

void raise_errno(const char* op, const char* expectation, const std::filesystem::path& path) {
  const int code = errno;
  raise_io_error(code,
                 fmt::format("{}: {} ({}); {}", op, expectation, std::generic_category().message(code), path.string()));
}

Descriptor::~Descriptor() {
  if (value_ >= 0) ::close(value_);
}

Descriptor open_file(const char* op, const std::filesystem::path& path, int flags) {
  while (true) {
    const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
    if (descriptor >= 0) return Descriptor(descriptor);
    if (errno != EINTR) raise_errno(op, (flags & O_CREAT) ? "file cannot be created" : "file cannot be opened", path);
  }
}

void write_all(const char* op, int descriptor, const void* data, size_t size, const std::filesystem::path& path) {
  const char* next = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(descriptor, next, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) raise_errno(op, "file cannot be written", path);
    next += written;
    size -= size_t(written);
  }
}

size_t read_some(const char* op, int descriptor, void* data, size_t size, const std::filesystem::path& path) {
  while (true) {
    const ssize_t count = ::read(descriptor, data, size);
    if (count >= 0) return size_t(count);
    if (errno != EINTR) raise_errno(op, "file cannot be read", path);
  }
}

void sync(const char* op, int descriptor, const std::filesystem::path& path) {
  while (::fsync(descriptor) != 0)
    if (errno != EINTR) raise_errno(op, "file cannot be synced to disk", path);
}

void sync_directory(const char* op, const std::filesystem::path& directory) {
  const Descriptor descriptor = open_file(op, directory, O_RDONLY | O_DIRECTORY);
  sync(op, descriptor.get(), directory);
}

void rename(const char* op, const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) raise_errno(op, "file cannot be given its name", to);
}

std::filesystem::path parent_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

std::filesystem::path sibling(const std::filesystem::path& path, const char* kind) {
  return parent_of(path) / fmt::format(".{}.{}-{}", path.filename().string(), kind, ::getpid());
}

}  // namespace plumb::posix
