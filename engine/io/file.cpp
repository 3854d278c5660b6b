#include "engine/io/file.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "engine/error.h"
#include "engine/io/posix.h"
#include "engine/require.h"

namespace plumb {
namespace {

struct stat status_of(const char* op, int descriptor, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) posix::raise_errno(op, "file cannot be examined", path);
  return status;
}

bool written_in_place(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return true;
  const std::string name = std::filesystem::absolute(path).lexically_normal().string();
  return name.starts_with("/dev/") && !name.starts_with("/dev/shm/");  // which is a file system like any other
}

void check_file_name(const std::filesystem::path& path) {
  struct stat status {};
  require<IoError>(path.has_filename() && path.filename() != "." && path.filename() != "..",
                   "write: path must name a file; {}", path.string());
  require<IoError>(::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode),
                   "write: path must name a file (it is a directory); {}", path.string());
}

}  // namespace

std::string read_file(const std::filesystem::path& path, uint64_t limit) {
  const posix::Descriptor file = posix::open_file("read", path, O_RDONLY);
  const struct stat status = status_of("read", file.get(), path);
  const uint64_t expected = S_ISREG(status.st_mode) ? uint64_t(status.st_size) : 0;
  require<IoError>(expected <= limit, "read: file must have at most {} bytes ({}); {}", limit, expected, path.string());
  std::string bytes;
  size_t size = 0;
  while (true) {
    // One byte more than the file seems to have shows its end without growing; pipes and /proc grow by doubling.
    if (size == bytes.size()) bytes.resize(std::max<size_t>(size_t(expected) + 1, std::max<size_t>(4096, 2 * size)));
    const size_t count = posix::read_some("read", file.get(), bytes.data() + size, bytes.size() - size, path);
    if (count == 0) break;
    size += count;
    require<IoError>(size <= limit, "read: file must have at most {} bytes (more); {}", limit, path.string());
  }
  bytes.resize(size);
  return bytes;
}

std::string read_range(const std::filesystem::path& path, uint64_t begin, uint64_t size) {
  const posix::Descriptor file = posix::open_file("read", path, O_RDONLY);
  const struct stat status = status_of("read", file.get(), path);
  const uint64_t end = S_ISREG(status.st_mode) ? uint64_t(status.st_size) : 0;
  require<IoError>(begin <= end && size <= end - begin,
                   "read: file must be regular and have the bytes {} to {} (it has {}); {}", begin, begin + size, end,
                   path.string());
  if (::lseek(file.get(), off_t(begin), SEEK_SET) < 0) posix::raise_errno("read", "file cannot be read", path);
  std::string bytes(size_t(size), '\0');
  for (size_t done = 0; done < bytes.size();) {
    const size_t count = posix::read_some("read", file.get(), bytes.data() + done, bytes.size() - done, path);
    require<IoError>(count > 0, "read: file must not shrink while it is read; {}", path.string());
    done += count;
  }
  return bytes;
}

MappedFile::MappedFile(const std::filesystem::path& path) {
  const posix::Descriptor file = posix::open_file("map", path, O_RDONLY);
  const struct stat status = status_of("map", file.get(), path);
  require<IoError>(S_ISREG(status.st_mode), "map: path must name a regular file; {}", path.string());
  size_ = size_t(status.st_size);
  if (size_ == 0) return;
  void* mapped = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file.get(), 0);
  if (mapped == MAP_FAILED) posix::raise_errno("map", "file cannot be mapped", path);
  data_ = static_cast<uint8_t*>(mapped);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(data_, size_);
}

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  check_file_name(path_);
  if (written_in_place(path_)) {
    written_ = path_;
    descriptor_ = posix::open_file("write", path_, O_WRONLY).release();
    return;
  }
  const std::filesystem::path temporary = posix::sibling(path_, "tmp");
  ::unlink(temporary.c_str());  // of a killed process that had this number
  descriptor_ = posix::open_file("write", temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW).release();
  written_ = temporary;
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!written_.empty() && written_ != path_) ::unlink(written_.c_str());
}

void AtomicFile::write(const void* data, size_t size) { posix::write_all("write", descriptor_, data, size, path_); }

void AtomicFile::commit(Durability durability) {
  const bool in_place = written_ == path_;
  const bool synced = durability == Durability::synced;
  if (!in_place && synced) posix::sync("write", descriptor_, path_);
  if (::close(std::exchange(descriptor_, -1)) != 0 && errno != EINTR)
    posix::raise_errno("write", "file cannot be closed", path_);
  if (in_place) return;
  posix::rename("write", written_, path_);
  written_.clear();
  if (synced) posix::sync_directory("write", posix::parent_of(path_));
}

AppendedFile::AppendedFile(std::filesystem::path path)
    : path_(std::move(path)), descriptor_(posix::open_file("write", path_, O_WRONLY | O_CREAT | O_APPEND).release()) {}

AppendedFile::~AppendedFile() { ::close(descriptor_); }

void AppendedFile::write(std::string_view bytes) {
  posix::write_all("write", descriptor_, bytes.data(), bytes.size(), path_);
}

void AppendedFile::sync() {
  if (S_ISREG(status_of("write", descriptor_, path_).st_mode)) posix::sync("write", descriptor_, path_);
}

void write_file_atomic(const std::filesystem::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void write_file_atomic(const std::filesystem::path& path, std::span<const uint8_t> bytes) {
  write_file_atomic(path, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace plumb
