// Both names of each function are defined here (open and open64): the header must not map one to the other.
#undef _FILE_OFFSET_BITS
#include "tests/faults/shim.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <utility>

namespace plumb::test {
namespace {

struct State {
  FaultPlan plan;
  int64_t calls = 0, space = -1;
  bool hit = false;
  std::vector<IoCall> recorded;
};

std::atomic<bool> armed{false};
std::mutex guard;
State* state = nullptr;

/// What is to happen to a call.
struct Verdict {
  int error = 0;
  size_t limit = SIZE_MAX;  ///< bytes a read or write may do
  bool dies = false;        ///< once it has done them
};

template <class F>
F* next(const char* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

/// The path of an open file, or of "/proc/self/fd/N" where that is no file.
std::string path_of(int descriptor) {
  std::array<char, 32> link;
  std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", descriptor);
  std::array<char, 4096> text;
  const long size = ::syscall(SYS_readlinkat, AT_FDCWD, link.data(), text.data(), text.size());
  return size < 0 ? std::string() : std::string(text.data(), size_t(size));
}

std::string path_at(int folder, const char* path) {
  if (path[0] == '/' || folder == AT_FDCWD) return path;
  return path_of(folder) + "/" + path;
}

bool watched(const std::string& path) {
  const std::string& folder = state->plan.folder;
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

[[noreturn]] void die() {
  ::syscall(SYS_kill, ::getpid(), SIGKILL);
  while (true) ::pause();
}

Verdict space_verdict(size_t size) {
  Verdict verdict;
  if (state->space < 0 || size == 0) return verdict;
  if (state->space == 0) {
    state->hit = true;
    verdict.error = ENOSPC;
  }
  verdict.limit = std::min(size, size_t(state->space));
  return verdict;
}

/// Counts the call and says what is to happen; `size` is what it is to read or write.
Verdict judge(const IoCall& call, size_t size) {
  const std::lock_guard lock(guard);
  if (!state || !watched(call.path)) return {};
  Verdict verdict = call.kind == IoKind::write ? space_verdict(size) : Verdict{};
  if (state->calls++ != state->plan.at) return verdict;
  const bool moves = call.kind == IoKind::read || call.kind == IoKind::write;
  state->hit = state->plan.fault != Fault::half || (moves && size > 1);
  switch (state->plan.fault) {
    case Fault::none:
      break;
    case Fault::error:
      verdict.error = state->plan.error;
      break;
    case Fault::half:
      if (moves) verdict.limit = std::max<size_t>(1, size / 2);
      break;
    case Fault::kill:
      die();
    case Fault::torn_kill:
      if (call.kind != IoKind::write) die();
      verdict.limit = size / 2;
      verdict.dies = true;
  }
  return verdict;
}

void keep(IoCall&& call) {
  const int error = errno;
  const std::lock_guard lock(guard);
  if (state && watched(call.path)) {
    if (call.kind == IoKind::write) state->space -= state->space > 0 ? int64_t(call.bytes.size()) : 0;
    if (state->plan.record) state->recorded.push_back(std::move(call));
  }
  errno = error;
}

/// A call that does what it says or fails with `failure`.
template <class Result, class Call, class Real>
Result pass(Result failure, const Call& describe, const Real& real) {
  if (!armed.load(std::memory_order_relaxed)) return real();
  IoCall call = describe();
  const Verdict verdict = judge(call, 0);
  if (verdict.error && call.kind == IoKind::close) real();  // the descriptor is gone all the same
  if (verdict.error) {
    errno = verdict.error;
    return failure;
  }
  const Result result = real();
  call.done = result != failure;
  keep(std::move(call));
  return result;
}

/// A read or write of `size` bytes.
template <class Real>
ssize_t pass_bytes(IoKind kind, int descriptor, const void* data, size_t size, const Real& real) {
  if (!armed.load(std::memory_order_relaxed)) return real(size);
  IoCall call{kind, path_of(descriptor)};
  const Verdict verdict = judge(call, size);
  if (verdict.error) {
    errno = verdict.error;
    return -1;
  }
  const ssize_t done = real(std::min(size, verdict.limit));
  if (verdict.dies) die();
  call.done = done >= 0;
  if (done > 0 && kind == IoKind::write) {
    const int error = errno;
    call.bytes.assign(static_cast<const char*>(data), size_t(done));
    call.offset = ::syscall(SYS_lseek, descriptor, 0, SEEK_CUR) - done;
    errno = error;
  }
  keep(std::move(call));
  return done;
}

int open_at(int folder, const char* path, int flags, mode_t mode) {
  static const auto real = next<int(int, const char*, int, ...)>("openat");
  const auto describe = [&] {
    IoCall call{IoKind::open, path_at(folder, path)};
    call.creates = (flags & O_CREAT) != 0;
    call.folder = (flags & O_DIRECTORY) != 0;
    return call;
  };
  return pass(-1, describe, [&] { return real(folder, path, flags, mode); });
}

mode_t mode_of(int flags, va_list& list) { return (flags & (O_CREAT | __O_TMPFILE)) ? va_arg(list, mode_t) : 0; }

template <class Status>
int examine(const char* name, int folder, const char* path, Status* status, int flags) {
  const auto real = next<int(int, const char*, Status*, int)>(name);
  return pass(
      -1,
      [&] {
        return IoCall{IoKind::status, path_at(folder, path)};
      },
      [&] { return real(folder, path, status, flags); });
}

template <class Status>
int examine_open(const char* name, int descriptor, Status* status) {
  const auto real = next<int(int, Status*)>(name);
  return pass(
      -1,
      [&] {
        return IoCall{IoKind::status, path_of(descriptor)};
      },
      [&] { return real(descriptor, status); });
}

template <class Offset>
void* map(const char* name, void* where, size_t size, int protection, int flags, int descriptor, Offset offset) {
  // wide: the six of mmap and its name
  const auto real = next<void*(void*, size_t, int, int, int, Offset)>(name);
  const auto go = [&] { return real(where, size, protection, flags, descriptor, offset); };
  if (descriptor < 0) return go();
  return pass(
      MAP_FAILED,
      [&] {
        return IoCall{IoKind::map, path_of(descriptor)};
      },
      go);
}

}  // namespace

const char* name_of(IoKind kind) {
  static constexpr const char* kNames[] = {"open",   "read",        "write", "truncate", "sync",   "close", "rename",
                                           "remove", "make_folder", "map",   "list",     "status", "lock"};
  return kNames[size_t(kind)];
}

FaultInjection::FaultInjection(const FaultPlan& plan) {
  const std::lock_guard lock(guard);
  state = new State{plan, 0, plan.space, false, {}};
  armed = true;
}

FaultInjection::~FaultInjection() {
  const std::lock_guard lock(guard);
  armed = false;
  delete std::exchange(state, nullptr);
}

int64_t FaultInjection::calls() const {
  const std::lock_guard lock(guard);
  return state->calls;
}

bool FaultInjection::hit() const {
  const std::lock_guard lock(guard);
  return state->hit;
}

std::vector<IoCall> FaultInjection::recorded() const {
  const std::lock_guard lock(guard);
  return state->recorded;
}

}  // namespace plumb::test

using namespace plumb::test;

extern "C" {

int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = mode_of(flags, list);
  va_end(list);
  return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = mode_of(flags, list);
  va_end(list);
  return open_at(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int openat(int folder, const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = mode_of(flags, list);
  va_end(list);
  return open_at(folder, path, flags, mode);
}

ssize_t read(int descriptor, void* data, size_t size) {
  static const auto real = next<ssize_t(int, void*, size_t)>("read");
  return pass_bytes(IoKind::read, descriptor, data, size, [&](size_t count) { return real(descriptor, data, count); });
}

ssize_t write(int descriptor, const void* data, size_t size) {
  static const auto real = next<ssize_t(int, const void*, size_t)>("write");
  return pass_bytes(IoKind::write, descriptor, data, size, [&](size_t count) { return real(descriptor, data, count); });
}

int ftruncate64(int descriptor, off64_t size) noexcept {
  static const auto real = next<int(int, off64_t)>("ftruncate64");
  return pass(
      -1,
      [&] {
        return IoCall{IoKind::truncate, path_of(descriptor), {}, size};
      },
      [&] { return real(descriptor, size); });
}

// Not handed on: nobody pulls the plug here, and waiting for a disk thousands of times takes minutes. What a power cut
// does is worked out from the recorded calls.
int fsync(int descriptor) {
  return pass(
      -1,
      [&] {
        return IoCall{IoKind::sync, path_of(descriptor)};
      },
      [&] { return ::fcntl(descriptor, F_GETFD) < 0 ? -1 : 0; });
}

int close(int descriptor) {
  static const auto real = next<int(int)>("close");
  return pass(
      -1,
      [&] {
        return IoCall{IoKind::close, path_of(descriptor)};
      },
      [&] { return real(descriptor); });
}

int rename(const char* from, const char* to) noexcept {
  static const auto real = next<int(const char*, const char*)>("rename");
  return pass(
      -1,
      [&] {
        return IoCall{IoKind::rename, from, to};
      },
      [&] { return real(from, to); });
}

int unlink(const char* path) noexcept {
  static const auto real = next<int(const char*)>("unlink");
  return pass(
      -1,
      [&] {
        return IoCall{IoKind::remove, path};
      },
      [&] { return real(path); });
}

int remove(const char* path) noexcept {
  static const auto real = next<int(const char*)>("remove");
  return pass(
      -1,
      [&] {
        return IoCall{IoKind::remove, path};
      },
      [&] { return real(path); });
}

int rmdir(const char* path) noexcept {
  static const auto real = next<int(const char*)>("rmdir");
  return pass(
      -1,
      [&] {
        return IoCall{IoKind::remove, path};
      },
      [&] { return real(path); });
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  static const auto real = next<int(int, const char*, int)>("unlinkat");
  return pass(
      -1,
      [&] {
        return IoCall{IoKind::remove, path_at(folder, path)};
      },
      [&] { return real(folder, path, flags); });
}

int mkdir(const char* path, mode_t mode) noexcept {
  static const auto real = next<int(const char*, mode_t)>("mkdir");
  return pass(
      -1,
      [&] {
        return IoCall{IoKind::make_folder, path};
      },
      [&] { return real(path, mode); });
}

int flock(int descriptor, int operation) noexcept {
  static const auto real = next<int(int, int)>("flock");
  return pass(
      -1,
      [&] {
        return IoCall{IoKind::lock, path_of(descriptor)};
      },
      [&] { return real(descriptor, operation); });
}

void* mmap(void* where, size_t size, int protection, int flags, int descriptor, off_t offset) noexcept {
  return map("mmap", where, size, protection, flags, descriptor, offset);
}

void* mmap64(void* where, size_t size, int protection, int flags, int descriptor, off64_t offset) noexcept {
  return map("mmap64", where, size, protection, flags, descriptor, offset);
}

DIR* fdopendir(int descriptor) {
  static const auto real = next<DIR*(int)>("fdopendir");
  return pass(
      static_cast<DIR*>(nullptr),
      [&] {
        return IoCall{IoKind::list, path_of(descriptor)};
      },
      [&] { return real(descriptor); });
}

int stat(const char* path, struct stat* status) noexcept { return examine("fstatat", AT_FDCWD, path, status, 0); }
int stat64(const char* path, struct stat64* status) noexcept { return examine("fstatat64", AT_FDCWD, path, status, 0); }
int lstat(const char* path, struct stat* status) noexcept {
  return examine("fstatat", AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}
int lstat64(const char* path, struct stat64* status) noexcept {
  return examine("fstatat64", AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}
int fstat(int descriptor, struct stat* status) noexcept { return examine_open("fstat", descriptor, status); }
int fstat64(int descriptor, struct stat64* status) noexcept { return examine_open("fstat64", descriptor, status); }

}  // extern "C"
