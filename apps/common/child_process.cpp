#include "apps/common/child_process.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "engine/require.h"

extern char** environ;

namespace plumb {

std::string own_program() {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", error);
  require<IoError>(!error, "this program does not know its own path (/proc/self/exe: {})", error.message());
  return path.string();
}

int run_child(const std::string& program, const Arguments& words, const StopOnSignal& stop) {
  std::vector<char*> arguments = {const_cast<char*>(program.c_str())};
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, program.c_str(), nullptr, &attributes, arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  require<IoError>(failed == 0, "{} cannot be started ({})", program, std::strerror(failed));
  constexpr int kOfSignals = 128;
  int status = 0;
  // Looked after rather than waited for, since any thread of this process may be the one that a signal interrupts.
  for (bool told = false;;) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) break;
    require<IoError>(ended == 0 || errno == EINTR, "{}: its end was missed ({})", program, std::strerror(errno));
    if (stop.requested() && !told) {
      ::kill(child, stop.exit_code() - kOfSignals);
      told = true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return WIFSIGNALED(status) ? kOfSignals + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace plumb
